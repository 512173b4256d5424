"""Targets of the load tester: planes of its own, and of others."""
