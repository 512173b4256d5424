"""Whole planes: services assembled, supervised, and shown off; the only room that may import services."""
