"""Generated API messages, one package for each group and version."""
