"""Shell completion: what may stand where, and the scripts that ask for it."""
