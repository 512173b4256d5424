"""Randomness as a function: the same pod, container and attempt always draw the same number.

Never a shared random stream: then one pod more or less would change every other pod's life.
"""

from __future__ import annotations

import hashlib
from statistics import NormalDist

from rollplane_machinery.frozen import frozen

_UNIT = 2.0**64
_NORMAL = NormalDist()


@frozen
class Draw:
    """Where a number is drawn: ``seed`` of the simulation, ``subject`` (namespace/name/container), ``attempt``."""

    seed: int
    subject: str
    attempt: int = 0

    def unit(self, purpose: str) -> float:
        """Return a number in (0, 1) for ``purpose``."""
        text = f"{self.seed}\0{self.subject}\0{self.attempt}\0{purpose}"
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") + 0.5) / _UNIT

    def normal(self, purpose: str) -> float:
        """Return a number of the standard normal distribution for ``purpose``."""
        return _NORMAL.inv_cdf(self.unit(purpose))
