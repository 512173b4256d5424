"""Simulated kubelets: pure pod life and the fleet that lives it."""
