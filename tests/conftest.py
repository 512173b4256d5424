"""What all tests share: properties have no deadline, since a loaded machine proves nothing about them."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("rollplane", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rollplane")
