"""Benchmarks: `python -m benchmarks NAME`; each writes results/NAME.json."""
