"""What an applier sends: the part of an object that it has an opinion on, as JSON or YAML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollplane.autoscaling.v1 import Scale
from rollplane_machinery.codec import Sent, Understood, read_sent, understand
from rollplane_machinery.errors import BadRequestError, Cause, UnsupportedError
from rollplane_machinery.fields.checking import check_items
from rollplane_machinery.fields.kinds import node_of_kind, undeclared_in
from rollplane_machinery.fields.values import as_members
from rollplane_machinery.kinds import Kind
from rollplane_machinery.patch.json_value import JsonObject, check_depth, expect_object

_SCALE = ("autoscaling/v1", "Scale")


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration of a ``kind``; ``left_out`` names its fields that nobody knows, and those given twice."""

    kind: Kind
    document: JsonObject
    left_out: tuple[Cause, ...] = ()


def read_configuration(text: bytes, kind: Kind) -> Configuration:
    """Return the configuration in ``text``.

    Raises BadRequestError when it is no object of ``kind`` in its storage version, speaks of managedFields, has values
    of wrong types, members that its schema does not declare or list items that cannot be told apart.
    """
    document, sent = _read(text, (kind.api_version, kind.name))
    left_out = _checked(document, understand(kind.message, document, sent.duplicates))
    if as_members(document.get("metadata")).get("managedFields") is not None:
        raise BadRequestError("metadata.managedFields must be nil")
    if wrong := [*undeclared_in(document, kind), *check_items(document, node_of_kind(kind))]:
        raise _untyped(document, wrong)
    return Configuration(kind, document, left_out)


def read_scale_configuration(text: bytes, kind: Kind) -> Configuration:
    """Return what the Scale in ``text`` says of the object of ``kind`` that is scaled.

    Raises as ``read_configuration``, and UnsupportedError for a kind without a scale.
    """
    if not kind.has_scale:
        raise UnsupportedError(f"{kind.resource} cannot be scaled", resource=kind.resource)
    scale, sent = _read(text, _SCALE)
    left_out = _checked(scale, understand(Scale, scale, sent.duplicates))
    document: JsonObject = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": scale.get("metadata")}
    spec = as_members(scale.get("spec"))
    if "replicas" in spec:
        document["spec"] = {"replicas": spec["replicas"]}
    return Configuration(kind, document, left_out)


def _read(text: bytes, wanted: tuple[str, str]) -> tuple[JsonObject, Sent]:
    """Return the object in ``text``, which must be of the ``wanted`` apiVersion and kind, and how it was given."""
    sent = read_sent(text, is_yaml=True)
    check_depth(sent.value)
    document = expect_object(sent.value, "an applied configuration")
    found = document.get("apiVersion"), document.get("kind")
    for name, value in zip(("apiVersion", "kind"), found, strict=True):
        if not isinstance(value, str) or not value:
            raise BadRequestError(f"error decoding YAML: {name!r} is missing")
    if found != wanted:
        raise BadRequestError(f"invalid object type: {_type_of(document)}")
    return document, sent


def _checked(document: JsonObject, found: Understood) -> tuple[Cause, ...]:
    """Return which fields were left out; raises BadRequestError for values that cannot be read."""
    if found.errors:
        raise _untyped(document, list(map(str, found.errors)), found.errors)
    return found.left_out


def _untyped(document: JsonObject, wrong: Sequence[str], causes: Sequence[Cause] = ()) -> BadRequestError:
    """What refuses a configuration for all that is ``wrong`` with it, in the words of structured-merge-diff."""
    metadata = as_members(document.get("metadata"))
    who = f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}; {_type_of(document)}"
    told = wrong[0] if len(wrong) == 1 else "\n  ".join(("errors:", *wrong))
    return BadRequestError(f"failed to create typed patch object ({who}): {told}", causes=causes)


def _type_of(document: JsonObject) -> str:
    """Return the type as Go prints it: ``apps/v1, Kind=Deployment``, ``/v1, Kind=Pod``."""
    version = str(document.get("apiVersion"))
    return f"{version if '/' in version else f'/{version}'}, Kind={document.get('kind')}"
