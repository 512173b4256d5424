"""The stored group."""
