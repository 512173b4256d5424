"""Emptying a node: which pods may go, sending them away, and seeing them gone."""
