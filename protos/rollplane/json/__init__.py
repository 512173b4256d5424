"""The json group."""
