"""The rollplane command."""
