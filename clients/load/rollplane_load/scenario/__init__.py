"""What a load is: phases over workloads, read from files."""
