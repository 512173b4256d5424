"""The meta group."""
