"""The commands, a module each; ``rollplane_cli.registry`` names them."""
