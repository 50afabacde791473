# %% [markdown]
# # T
# words

# %% tags=["remove-cell"]
x = 1
