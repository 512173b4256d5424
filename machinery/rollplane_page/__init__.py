"""The page: what happened to workloads, drawn so that one can look back through it; one code for every use."""
