"""Rehearsals: what runs is brought to rest, what is to run is applied, and what happens is measured and judged."""
