"""Tests of the benchmarks: what is made of results, not how long anything takes."""
