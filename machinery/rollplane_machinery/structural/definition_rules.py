"""What a CustomResourceDefinition must be, and what an update may not do to one.

Source: kubernetes/apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rollplane_machinery.errors import Cause
from rollplane_machinery.fields.values import as_members
from rollplane_machinery.names import check_dns1035_label, check_dns1123_subdomain
from rollplane_machinery.patch.json_value import JsonObject
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.structural.causes import forbidden, invalid, not_supported, required
from rollplane_machinery.structural.grammars import FORMATS
from rollplane_machinery.structural.shape import DEFINITION
from rollplane_machinery.structural.version_rules import check_version

_APPROVAL = "api-approved.kubernetes.io"
_SEE = "see https://github.com/kubernetes/enhancements/pull/1111"
_SCOPES = ("Cluster", "Namespaced")
_IMMUTABLE = "field is immutable"
_Object = Mapping[str, Any]


def validate_definition(crd: JsonObject, old: JsonObject | None = None, release: Release = LATEST) -> list[Cause]:
    """Return what is wrong with ``crd``, a definition as ``completed`` makes it, and as an update of ``old``.

    Its metadata is looked at only as far as it goes with the spec.
    """
    if wrong := DEFINITION.validate(crd):
        return wrong
    spec = as_members(crd.get("spec"))
    found = [*_name(crd, spec), *_spec(spec, release), *_status(crd, spec), *_approval(crd, spec, old)]
    return [*found, *_update(spec, old)]


def _name(crd: _Object, spec: _Object) -> Iterator[Cause]:
    name = (crd.get("metadata") or {}).get("name") or ""
    if name != f"{(spec.get('names') or {}).get('plural') or ''}.{spec.get('group') or ''}":
        yield invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')


def _spec(spec: _Object, release: Release) -> Iterator[Cause]:
    yield from _group(spec.get("group") or "")
    yield from _one_of("spec.scope", spec.get("scope") or "", _SCOPES)
    versions: Sequence[_Object] = spec.get("versions") or ()
    for index, version in enumerate(versions):
        yield from check_version(version, f"spec.versions[{index}]", release)
    yield from _versions(versions)
    names: _Object = spec.get("names") or {}
    for name in ("plural", "singular", "kind", "listKind"):
        if not names.get(name):
            yield required(f"spec.names.{name}")
    yield from check_names(names, "spec.names")
    yield from _conversion(spec.get("conversion") or {})
    if spec.get("preserveUnknownFields") is True:
        sentence = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        )
        yield invalid("spec.preserveUnknownFields", True, sentence)


def _group(group: str) -> Iterator[Cause]:
    if not group:
        yield required("spec.group")
    elif sentences := check_dns1123_subdomain(group):
        yield invalid("spec.group", group, ",".join(sentences))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")


def _one_of(field: str, value: str, words: Sequence[str]) -> Iterator[Cause]:
    if not value:
        yield required(field)
    elif value not in words:
        yield not_supported(field, value, words)


def _versions(versions: Sequence[_Object]) -> Iterator[Cause]:
    names = [version.get("name") for version in versions]
    shown = [name or "" for name in names]
    if len(set(names)) != len(names):
        yield invalid("spec.versions", shown, "must contain unique version names")
    if sum(version.get("storage") is True for version in versions) != 1:
        yield invalid("spec.versions", shown, "must have exactly one version marked as storage version")


def check_names(names: _Object, path: str) -> Iterator[Cause]:
    """Yield what is wrong with the names at ``path``, of a spec or as they were accepted; those left out are good."""
    for name in ("plural", "singular"):
        yield from _label(names.get(name) or "", f"{path}.{name}")
    for name in ("kind", "listKind"):
        yield from _kind(names.get(name) or "", f"{path}.{name}")
    for name in ("shortNames", "categories"):
        for index, word in enumerate(names.get(name) or ()):
            yield from _label(word or " ", f"{path}.{name}[{index}]")
    if (kind := names.get("kind")) and kind == names.get("listKind"):
        yield invalid(f"{path}.listKind", kind, "kind and listKind may not be the same")


def _label(word: str, field: str) -> Iterator[Cause]:
    if word and (sentences := check_dns1035_label(word)):
        yield invalid(field, word.strip(), ",".join(sentences))


def _kind(word: str, field: str) -> Iterator[Cause]:
    if word and (sentences := check_dns1035_label(word.lower())):
        yield invalid(field, word, f"may have mixed case, but should otherwise match: {','.join(sentences)}")


def _conversion(conversion: _Object) -> Iterator[Cause]:
    strategy = conversion.get("strategy") or ""
    yield from _one_of("spec.conversion.strategy", strategy, ("None", "Webhook"))
    if strategy == "Webhook":
        sentence = "no webhook is called here: serve one version, or versions that None converts between"
        yield invalid("spec.conversion.strategy", strategy, sentence)
    elif conversion.get("webhook") is not None:
        yield forbidden("spec.conversion.webhook", "should not be set when strategy is not set to Webhook")


def _status(crd: _Object, spec: _Object) -> Iterator[Cause]:
    status: _Object = crd.get("status") or {}
    yield from check_names(status.get("acceptedNames") or {}, "status.acceptedNames")
    yield from _stored(status.get("storedVersions") or [], spec.get("versions") or ())


def _stored(stored: list[str], versions: Sequence[_Object]) -> Iterator[Cause]:
    field = "status.storedVersions"
    if not stored:
        yield invalid(field, stored, "must have at least one stored version")
        return
    names = {version.get("name") for version in versions}
    for version in versions:
        if version.get("storage") is True and version.get("name") not in stored:
            yield invalid(field, stored, f"must have the storage version {version.get('name')}")
    for index, name in enumerate(stored):
        if name not in names:
            sentence = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in "
                f"spec.versions until a storage migration ensures no data remains persisted in {name} and "
                f"removes {name} from status.storedVersions"
            )
            yield invalid(f"{field}[{index}]", name, sentence)


def _approval(crd: _Object, spec: _Object, old: _Object | None) -> Iterator[Cause]:
    group = f".{spec.get('group') or ''}"
    if not group.endswith((".k8s.io", ".kubernetes.io")):
        return
    said, before = _approved(crd), None if old is None else _approved(old)
    field = f"metadata.annotations[{_APPROVAL}]"
    if said is None and (old is None or before is not None):
        yield required(field, f'protected groups must have approval annotation "{_APPROVAL}", {_SEE}')
    elif said is not None and not _is_approval(said) and (before is None or _is_approval(before)):
        sentence = (
            f'protected groups must have approval annotation "{_APPROVAL}" with either a URL or a reason starting with '
            f'"unapproved", {_SEE}'
        )
        yield invalid(field, said, sentence)


def _approved(crd: _Object) -> str | None:
    annotations = (crd.get("metadata") or {}).get("annotations") or {}
    return annotations.get(_APPROVAL) or None


def _is_approval(said: str) -> bool:
    return said.startswith("unapproved") or ("://" in said and FORMATS["uri"](said))


def _update(spec: _Object, old: _Object | None) -> Iterator[Cause]:
    if old is None:
        return
    before: _Object = old.get("spec") or {}
    paths = ["group", "names.plural", *(["scope", "names.kind"] if is_established(old) else [])]
    for path in paths:
        if (value := _at(spec, path)) != _at(before, path):
            yield invalid(f"spec.{path}", value, _IMMUTABLE)


def _at(spec: _Object, path: str) -> Any:
    value: Any = spec
    for name in path.split("."):
        value = (value or {}).get(name)
    return value or ""


def is_established(crd: _Object) -> bool:
    """Whether objects of the definition can be stored: its condition Established is true."""
    conditions = (crd.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Established" and each.get("status") == "True" for each in conditions)
