"""Side-by-side timings; each module writes its file in results/."""
