"""Bounds of the gateway's server."""

from __future__ import annotations

from dataclasses import dataclass

from rollplane_service.admission import Limits as AdmissionLimits

MIB = 1024 * 1024
MOST_CONNECTIONS = 16_384


@dataclass(frozen=True, slots=True)
class Limits:
    """Go clients keep idle connections for 90 s, so ours must live longer. ``body_bytes`` is what kube-apiserver takes.

    An answer may take ``write_seconds``, and one more for each ``write_bytes`` of it; then its reader is dropped.
    """

    body_bytes: int = 3 * MIB
    body_seconds: float = 30.0
    head_seconds: float = 30.0
    head_line_bytes: int = 64 * 1024
    keep_alive_seconds: float = 180.0
    write_seconds: float = 30.0
    write_bytes: int = 256 * 1024
    connections: int = MOST_CONNECTIONS
    admission: AdmissionLimits = AdmissionLimits(call_seconds=60.0, retry_after_seconds=1.0)  # noqa: RUF009 - frozen
