"""How a kubelet writes: statuses as they go out, and what is said of those that were refused."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from rollplane.core.v1 import Pod, PodStatus
from rollplane_kubelet_sim.writing import OPTIONS
from rollplane_machinery.api import Key, UpdateStatus
from rollplane_machinery.errors import ConflictError, NotFoundError, RollplaneError
from rollplane_machinery.kinds import Encoded

log = logging.getLogger(__name__)


def status_write(pod: Pod, status: PodStatus, annotations: Mapping[str, str] | None) -> UpdateStatus:
    """Return the write that reports ``status`` if ``pod`` is still what is stored; the spec stays at home.

    ``annotations``, where given, replace the pod's: an order goes, and what came of it is seen, in one change.
    """
    report = Pod(metadata=pod.metadata, status=status)
    if annotations is not None:
        report.metadata.annotations.clear()
        report.metadata.annotations.update(annotations)
    return UpdateStatus(Encoded.of(report), OPTIONS)


def log_refusal(key: Key, refusal: RollplaneError) -> None:
    """Log why a report was refused; that the pod has changed or gone meanwhile is nothing out of the way."""
    expected = isinstance(refusal, ConflictError | NotFoundError)
    level = logging.DEBUG if expected else logging.WARNING
    log.log(level, "not reported", extra={"object": str(key), "reason": refusal.reason, "detail": refusal.message})
