"""The load tester for concurrent rollovers."""
