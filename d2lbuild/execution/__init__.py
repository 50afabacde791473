"""Execution: environments, the cache, the plan, and running notebooks."""
