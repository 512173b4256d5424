"""The api group."""
