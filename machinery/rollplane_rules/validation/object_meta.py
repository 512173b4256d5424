"""Metadata of every object, on create and on update.

Source of the rules: kubernetes/apimachinery pkg/api/validation/objectmeta.go, whose paths these are: labels and
annotations are named as a whole, and so are owner references.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rollplane.meta import v1 as meta
from rollplane_machinery import names
from rollplane_machinery.equality import same_texts, semantic_equal
from rollplane_machinery.errors import Cause
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.well_known import FOREGROUND, ORPHAN
from rollplane_rules.validation.causes import forbidden, immutable, invalid, not_negative, problems, required
from rollplane_rules.validation.labels import check_annotations, check_labels

NameCheck = Callable[[str], list[str]]
"""A rule of ``names`` for the names of one kind."""

_NOTHING_STORED = meta.ObjectMeta()
_STANDARD_FINALIZERS = frozenset({ORPHAN, FOREGROUND, "kubernetes"})


def check_metadata(
    metadata: meta.ObjectMeta,
    check_name: NameCheck,
    *,
    namespaced: bool,
    plain_finalizers: bool = False,
    stored: meta.ObjectMeta = _NOTHING_STORED,
) -> list[Cause]:
    """Return what is wrong with the metadata of an object, name generated already; paths within the metadata.

    Of one that is ``stored`` what stays as it was is not judged again: most writes change nothing of the metadata.
    Finalizers have a domain, unless ``plain_finalizers`` will do: extension servers do not ask for one.
    """
    found: list[Cause] = []
    if not _has_same_identity(metadata, stored):
        found += _check_identity(metadata, check_name, namespaced)
    if metadata.generation < 0:
        found += not_negative("generation", metadata.generation)
    if not same_texts(metadata.labels, stored.labels):
        found += check_labels("labels", metadata.labels)
    if not same_texts(metadata.annotations, stored.annotations):
        found += check_annotations("annotations", metadata.annotations)
    if metadata.owner_references != stored.owner_references:
        found += _check_owners(metadata.owner_references)
    if metadata.finalizers != stored.finalizers:
        found += _check_finalizers(metadata.finalizers, plain=plain_finalizers)
    return found


def _has_same_identity(one: meta.ObjectMeta, other: meta.ObjectMeta) -> bool:
    return (
        bool(one.name)
        and one.name == other.name
        and one.namespace == other.namespace
        and one.generate_name == other.generate_name
    )


def _check_identity(metadata: meta.ObjectMeta, check_name: NameCheck, namespaced: bool) -> list[Cause]:
    found: list[Cause] = []
    prefix = metadata.generate_name
    if prefix and (sentences := check_name(_stem(prefix))):
        found += problems("generateName", prefix, sentences)
    if not metadata.name:
        found.append(required("name", "give a name or a generateName"))
    elif sentences := check_name(metadata.name):
        found += problems("name", metadata.name, sentences)
    if namespaced:
        found += _check_namespace(metadata.namespace)
    elif metadata.namespace:
        found.append(forbidden("namespace", "leave it out: this kind belongs to no namespace"))
    return found


def _stem(prefix: str) -> str:
    """Return ``prefix`` as it may be followed by a suffix: a dash at its end is no longer at the end then."""
    return f"{prefix[:-1]}a" if len(prefix) > 1 and prefix[-1] == "-" else prefix


def _check_namespace(namespace: str) -> list[Cause]:
    if not namespace:
        return [required("namespace", "name the namespace it belongs to")]
    return problems("namespace", namespace, names.check_dns1123_label(namespace))


def _check_owners(owners: Iterable[meta.OwnerReference]) -> list[Cause]:
    found: list[Cause] = []
    controllers: list[str] = []
    for owner in owners:
        found += _check_owner(owner)
        if owner.controller:
            controllers.append(f"{owner.kind}/{owner.name}")
    for other in controllers[1:]:
        fix = f"set controller on one owner only, not on {controllers[0]} and {other}"
        found.append(invalid("ownerReferences", other, fix))
    return found


def _check_owner(owner: meta.OwnerReference) -> list[Cause]:
    field = "ownerReferences"
    found: list[Cause] = []
    if not owner.api_version.rpartition("/")[2] or owner.api_version.count("/") > 1:
        found.append(invalid(f"{field}.apiVersion", owner.api_version, "give a version or group/version"))
    if not owner.kind:
        found.append(invalid(f"{field}.kind", owner.kind, "name the owner's kind"))
    if not owner.name:
        found.append(invalid(f"{field}.name", owner.name, "name the owner"))
    if not owner.uid:
        found.append(invalid(f"{field}.uid", owner.uid, "give the owner's uid"))
    if (owner.api_version, owner.kind) == ("v1", "Event"):
        found.append(invalid(field, owner.kind, "an Event owns nothing: name another owner"))
    return found


def _check_finalizers(finalizers: Iterable[str], *, plain: bool) -> list[Cause]:
    found: list[Cause] = []
    for index, finalizer in enumerate(finalizers):
        found += problems("finalizers", finalizer, names.check_qualified_name(finalizer))
        found += [] if plain else _check_domain(f"finalizers[{index}]", finalizer)
    if {ORPHAN, FOREGROUND} <= set(finalizers):
        found.append(invalid("finalizers", ORPHAN, f"keep either {ORPHAN} or {FOREGROUND}"))
    return found


def check_finalizer(field: str, finalizer: str) -> list[Cause]:
    """Return what is wrong with one finalizer; those without a domain are Kubernetes' own."""
    if sentences := names.check_qualified_name(finalizer):
        return problems(field, finalizer, sentences)
    return _check_domain(field, finalizer)


def _check_domain(field: str, finalizer: str) -> list[Cause]:
    if "/" in finalizer or finalizer in _STANDARD_FINALIZERS:
        return []
    return [invalid(field, finalizer, "put a domain before it, as in 'example.com/my-finalizer'")]


def check_metadata_update(new: meta.ObjectMeta, old: meta.ObjectMeta) -> list[Cause]:
    """Return what an update may not do to metadata; the rules for new objects are checked beside it."""
    found: list[Cause] = []
    for field, after, before in (
        ("name", new.name, old.name),
        ("namespace", new.namespace, old.namespace),
        ("uid", new.uid, old.uid),
    ):
        if after != before:
            found += immutable(field, after, same=False)
    if not semantic_equal(new.creation_timestamp, old.creation_timestamp):
        found += immutable("creationTimestamp", None, same=False)
    if not semantic_equal(new.deletion_timestamp, old.deletion_timestamp):
        found += immutable("deletionTimestamp", None, same=False)
    grace = new.deletion_grace_period_seconds
    if grace != old.deletion_grace_period_seconds:
        found += immutable("deletionGracePeriodSeconds", grace, same=False)
    if new.generation < old.generation:
        found.append(invalid("generation", new.generation, f"it never goes back, and was {old.generation}"))
    if is_being_deleted(old):
        found += _check_no_new_finalizers(new, old)
    return found


def _check_no_new_finalizers(new: meta.ObjectMeta, old: meta.ObjectMeta) -> list[Cause]:
    """Finalizers hold back a deletion: none may be added once it has begun."""
    added = sorted(set(new.finalizers) - set(old.finalizers))
    return [forbidden("finalizers", f"the object is being deleted, drop {', '.join(added)}")] if added else []
