"""The store: one revision, one log; conditional writes committed in groups."""
