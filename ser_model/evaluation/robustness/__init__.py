"""The robustness suite: what changes of a recording do to the answer, on networks that never heard the speaker."""
