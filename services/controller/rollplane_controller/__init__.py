"""The controller service: pure planners and the shells that run them."""
