"""Films for a mood: live from IMDb where it answers, else from lists on this machine."""
