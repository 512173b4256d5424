"""Scenarios: files that say what happens to a rollout, and what is expected of it."""
