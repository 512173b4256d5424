"""``rollplane rollout …``."""
