"""The authentication group."""
