"""What people see of objects: kubectl's columns, ages, statuses and sentences, as pure functions.

The command line prints them as text; a REST gateway can serve the same tables as ``meta.k8s.io/v1`` Tables.
"""
