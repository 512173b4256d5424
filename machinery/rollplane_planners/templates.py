"""Whether two pod templates mean the same, whatever defaults were in force when each was stored.

A release of ours may bring a default that stored templates lack. Compared as they were stored, every workload would
roll at its next change. So both are completed first with the defaults of today, as Kubernetes does with what it reads.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from rollplane.core.v1 import PodTemplateSpec
from rollplane_machinery.codec import message_from_json, message_to_json
from rollplane_machinery.deployments import without_hash
from rollplane_machinery.equality import semantic_equal
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.remembering import remembered

Complete = Callable[[PodTemplateSpec], None]
"""Gives a template, in place, the defaults of today."""


def template_data(template: PodTemplateSpec) -> bytes:
    """Return the patch that brings ``template`` back, as compact JSON with sorted keys."""
    replaced = {**message_to_json(template), "$patch": "replace"}
    return json.dumps({"spec": {"template": replaced}}, sort_keys=True, separators=(",", ":")).encode()


def template_in(data: bytes) -> PodTemplateSpec:
    """Return the template that a revision's data holds."""
    template = json.loads(data)["spec"]["template"]
    template.pop("$patch", None)
    return message_from_json(PodTemplateSpec, template)


def as_it_is(_template: PodTemplateSpec) -> None:
    """Complete a template by nothing."""


def _bare(template: bytes) -> bytes:
    return without_hash(PodTemplateSpec.FromString(template)).SerializeToString(deterministic=True)


class Templates:
    """Compares templates; ``complete`` gives each the defaults of today. Remembers: a rollout asks again each step."""

    def __init__(self, complete: Complete = as_it_is) -> None:
        self._complete = complete
        self._remembered_same = remembered(8192, largest_bytes=32 * 1024)(self._compare)
        self._remembered_bare = remembered(8192, largest_bytes=32 * 1024)(_bare)
        self._remembered_held = remembered(8192, largest_bytes=32 * 1024)(self._compare_data)

    def same(self, one: PodTemplateSpec, other: PodTemplateSpec) -> bool:
        """Tell whether two templates make the same pods."""
        return self.are_same(one.SerializeToString(deterministic=True), other.SerializeToString(deterministic=True))

    def are_same(self, one: bytes, other: bytes) -> bool:
        """As ``same``, of templates in bytes."""
        return one == other or self._remembered_same(one, other)

    def bare(self, template: PodTemplateSpec) -> bytes:
        """Return the template in bytes, without the label that tells ReplicaSets apart."""
        return self._remembered_bare(template.SerializeToString(deterministic=True))

    def held(self, data: bytes, template: PodTemplateSpec, *, by_meaning: bool) -> bool:
        """Tell whether a revision's ``data`` holds ``template``: by meaning, or by the bytes of both when complete."""
        return self._remembered_held(data, template.SerializeToString(deterministic=True), "m" if by_meaning else "")

    def _compare(self, one: bytes, other: bytes) -> bool:
        return semantic_equal(self._completed(one), self._completed(other))

    def _compare_data(self, data: bytes, template: bytes, by_meaning: str) -> bool:
        if data == template_data(PodTemplateSpec.FromString(template)):
            return True
        try:
            stored = template_in(data)
        except (ValueError, KeyError, TypeError, AttributeError, BadRequestError):
            return False  # somebody else's: it holds no template at all
        self._complete(stored)
        wanted = self._completed(template)
        return semantic_equal(stored, wanted) if by_meaning else template_data(stored) == template_data(wanted)

    def _completed(self, serialized: bytes) -> PodTemplateSpec:
        template = PodTemplateSpec.FromString(serialized)
        self._complete(template)
        return template


AS_STORED = Templates()
"""Takes templates for what they are."""
