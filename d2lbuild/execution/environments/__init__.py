"""Locked environments: what is in them, how they are made, and what a generated module does in one."""
