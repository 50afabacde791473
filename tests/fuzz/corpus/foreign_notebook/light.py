# # T
# words

x = 1


# +
y = 2
# -
