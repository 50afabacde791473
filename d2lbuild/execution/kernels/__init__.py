"""Kernels: how one is started, forked, watched and ended, and what it says."""
