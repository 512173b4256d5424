"""The authorization group."""
