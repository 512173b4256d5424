"""Pure planners: observations in, a Plan out. Nothing here awaits, logs, reads a clock or makes up a name."""
