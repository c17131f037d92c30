"""Runnable examples: three clients of a running app, and the script behind its example voices."""
