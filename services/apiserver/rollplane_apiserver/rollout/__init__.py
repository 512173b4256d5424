"""Rollout verbs over any ObjectApi, as ``kubectl set image``, ``scale`` and ``rollout`` carry them out."""
