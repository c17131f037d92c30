"""How changes of a recording change the answer, measured on networks that were not trained on the speaker."""
