"""Set image, scale, pause, resume, restart: each as a change of a message in place, refusing in kubectl's words.

Source of the rules and sentences: docs/semantics/kubectl-surface.md section 5, and what kubectl 1.32 prints.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollplane.apps import v1 as apps
from rollplane_apiserver.rollout.edit import Change
from rollplane_apiserver.rollout.workloads import (
    RESTARTED_AT,
    pod_spec_of,
    refusal,
    rolled_out,
)
from rollplane_machinery.api import Key, Scale, SetImage
from rollplane_machinery.codec.time_text import format_time
from rollplane_machinery.errors import Cause, CauseReason, ConflictError, InvalidError
from rollplane_machinery.images import missing_containers, set_images
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.times import time_of
from rollplane_machinery.well_known import CHANGE_CAUSE
from rollplane_rules.registry.preconditions import check_preconditions
from rollplane_rules.registry.scale import replicas_of, set_replicas


def setting_images(request: SetImage) -> Change:
    """Return the change; it raises InvalidError naming the first container that is not there."""

    def change(message: ApiObject) -> None:
        spec = pod_spec_of(message)
        if missing := missing_containers(spec, request.images):
            raise _no_container(request.key, missing)
        set_images(spec, request.images)
        if request.change_cause is not None:
            message.metadata.annotations[CHANGE_CAUSE] = request.change_cause

    return change


def _no_container(key: Key, sentences: Sequence[str]) -> InvalidError:
    causes = [Cause(CauseReason.NOT_FOUND, "spec.template.spec.containers", sentence) for sentence in sentences]
    return InvalidError("; ".join(sentences), resource=key.kind.resource, name=key.name, causes=causes)


def scaling(request: Scale) -> Change:
    """Return the change; it raises ConflictError when the present size or object is not the expected one."""

    def change(message: ApiObject) -> None:
        check_preconditions(request.key, message, request.preconditions)
        present = replicas_of(request.key.kind, message)
        if request.current_replicas not in (None, present):
            why = f"Expected replicas to be {request.current_replicas}, was {present}"
            raise ConflictError(why, resource=request.key.kind.resource, name=request.key.name)
        set_replicas(request.key.kind, message, request.replicas)

    return change


def pausing(key: Key, *, pause: bool) -> Change:
    """Return the change; it raises InvalidError when the Deployment is in that state already."""
    sentence = f'{key.kind.resource} "{key.name}" is {"already" if pause else "not"} paused'

    def change(message: ApiObject) -> None:
        spec = _deployment(message).spec
        if spec.paused == pause:
            raise refusal(key, sentence, "spec.paused")
        if pause:
            spec.paused = True
        else:
            spec.ClearField("paused")

    return change


def restarting(key: Key, now: float) -> Change:
    """Return the change; it raises InvalidError for a paused Deployment, and twice within one second."""
    stamp = format_time(time_of(now)) or ""

    def change(message: ApiObject) -> None:
        workload = rolled_out(message)
        if isinstance(workload, apps.Deployment) and workload.spec.paused:
            sentence = f'{key.kind.resource} "{key.name}" can\'t restart paused deployment (run rollout resume first)'
            raise refusal(key, sentence, "spec.paused")
        annotations = workload.spec.template.metadata.annotations
        if annotations.get(RESTARTED_AT) == stamp:
            raise refusal(
                key,
                f"failed to create patch for {key.name}: if restart has already been triggered within the past "
                "second, please wait before attempting to trigger another",
            )
        annotations[RESTARTED_AT] = stamp

    return change


def _deployment(message: ApiObject) -> apps.Deployment:
    if isinstance(message, apps.Deployment):
        return message
    raise TypeError(f"a {type(message).__name__} cannot be paused")
