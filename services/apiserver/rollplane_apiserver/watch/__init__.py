"""The watch cache: one reader of the log, one ring of events, any number of cursors into it."""
