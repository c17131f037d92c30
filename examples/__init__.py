"""Runnable examples: three ways to ask a running app, and how its example voices are made."""
