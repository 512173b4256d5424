"""The coordination group."""
