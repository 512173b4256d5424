"""Rolling updates of ReplicationControllers: what is prepared before the controllers' engine takes over."""
