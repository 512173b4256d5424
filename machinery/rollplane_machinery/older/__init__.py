"""Older API versions of kinds that are kept as JSON: ``versions`` is the table, ``conversions`` say what differs."""
