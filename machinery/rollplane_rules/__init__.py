"""What a write may say: defaults, validation, and what an update may change, per kind."""
