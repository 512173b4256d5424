"""The shells around the planners: they observe, plan many keys, and apply all their writes together."""
