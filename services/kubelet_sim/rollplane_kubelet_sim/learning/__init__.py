"""Profiles learned from a real cluster: what its pods and Events tell of how long steps take, as rules."""
