"""Where notebooks run: each backend is a module with one function, `run_all`."""
