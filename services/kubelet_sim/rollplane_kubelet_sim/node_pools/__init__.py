"""Which nodes a fleet has: pools of them, from the command line, a file, or the nodes of a real cluster. Pure.

``grammar`` reads what ``--node-pool`` takes, ``files`` a file, and ``planning`` says which nodes come of the pools.
"""
