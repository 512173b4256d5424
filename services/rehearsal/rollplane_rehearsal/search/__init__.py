"""Looking for the smallest scenario that breaks an expectation."""
