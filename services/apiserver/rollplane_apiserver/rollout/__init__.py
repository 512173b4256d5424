"""Rollout verbs over any EditingApi, as ``kubectl set image``, ``scale`` and ``rollout`` carry them out."""
