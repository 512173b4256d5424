"""The events group."""
