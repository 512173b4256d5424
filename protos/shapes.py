"""Write down what the messages of kinds that are kept as JSON look like: facts of Kubernetes' published Go types.

``python protos/shapes.py API AGGREGATOR`` reads the two git directories (kubernetes/api and kubernetes/kube-aggregator)
at their heads and writes ``machinery/rollplane_machinery/shapes/facts.json``, which ``shapes/building.py`` explains.
Only names, numbers, types and markers are taken, no words.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from google.protobuf.descriptor_pool import Default

ROOT = Path(__file__).parents[1]
FACTS = ROOT / "machinery" / "rollplane_machinery" / "shapes" / "facts.json"

KINDS = {
    "core/v1": ("Endpoints", "LimitRange", "PersistentVolume", "PodTemplate", "ResourceQuota"),
    "admissionregistration/v1": (
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    ),
    "apiregistration/v1": ("APIService",),
    "autoscaling/v1": ("HorizontalPodAutoscaler",),
    "autoscaling/v2": ("HorizontalPodAutoscaler",),
    "batch/v1": ("CronJob", "Job"),
    "discovery/v1": ("EndpointSlice",),
    "flowcontrol/v1": ("FlowSchema", "PriorityLevelConfiguration"),
    "networking/v1": ("Ingress", "IngressClass", "NetworkPolicy"),
    "networking/v1beta1": ("Ingress",),
    "node/v1": ("RuntimeClass",),
    "rbac/v1": ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
    "scheduling/v1": ("PriorityClass",),
    "storage/v1": ("CSIDriver", "StorageClass"),
}
META = "k8s.io/apimachinery/pkg/apis/meta/v1"
SPECIAL = {
    "k8s.io/apimachinery/pkg/api/resource.Quantity": "meta.v1.Quantity",
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "meta.v1.IntOrString",
    "k8s.io/apimachinery/pkg/runtime.RawExtension": "meta.v1.RawExtension",
    "k8s.io/apimachinery/pkg/types.UID": "string",
}
SCALARS = {"string": "string", "bool": "bool", "int32": "int32", "int64": "int64", "[]byte": "bytes"}
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
ALIAS = re.compile(r"^type (\w+) (?!struct|interface)([\w.\[\]]+)", re.MULTILINE)
IMPORT = re.compile(r'^(?:\t|import )(?:(\w+) )?"([\w./-]+)"$', re.MULTILINE)
FIELD = re.compile(r"^\t(?:(\w+) +)?([\w.*\[\]]+) +`(.*?)`")
MARKER = re.compile(r"^\s*// ?\+(.*)$")


@dataclass
class Package:
    """The types of one Go package."""

    structs: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    atomic: set[str] = field(default_factory=set)


def read_package(git: Path, folder: str) -> Package:
    """Return the types of ``folder`` at the head of a git directory."""
    text = subprocess.run(
        ["git", "-C", git, "show", f"HEAD:{folder}/types.go"], capture_output=True, text=True, check=True
    ).stdout
    package = Package(dict(STRUCT.findall(text)), dict(ALIAS.findall(text)))
    package.imports = {alias or path.rsplit("/", 1)[1]: path for alias, path in IMPORT.findall(text)}
    for name in package.structs:
        before = text[: text.index(f"type {name} struct")].rstrip().rsplit("\n\n", 1)[-1]
        if "+structType=atomic" in before:
            package.atomic.add(name)
    return package


class Reader:
    """Reads types as they are asked for."""

    def __init__(self, api: Path, aggregator: Path) -> None:
        self._api, self._aggregator = api, aggregator
        self._packages: dict[str, Package] = {}
        self.facts: dict[str, dict[str, object]] = {}

    def package(self, name: str) -> Package:
        """Return the package ``group/version``."""
        if name not in self._packages:
            of_aggregator = name.startswith("apiregistration/")
            git = self._aggregator if of_aggregator else self._api
            self._packages[name] = read_package(git, f"pkg/apis/{name}" if of_aggregator else name)
        return self._packages[name]

    def take(self, package: str, name: str) -> str:
        """Take in the struct ``name``, and return how facts call it; what there is a message of is not taken."""
        called = f"{package.replace('/', '.')}.{name}"
        if is_message(called):
            return called
        known = self.facts.setdefault(package, {})
        if name not in known:
            fields: list[object] = []
            known[name] = {"atomic": True, "fields": fields} if name in self.package(package).atomic else fields
            fields += self._fields(package, self.package(package).structs[name])
        return called

    def _fields(self, package: str, body: str) -> Iterator[list[object]]:
        markers: list[str] = []
        for line in body.splitlines():
            if found := MARKER.match(line):
                markers.append(found[1])
            elif found := FIELD.match(line):
                if one := self._field(package, found[2], found[3], markers):
                    yield one
                markers = []
            elif not line.strip().startswith("//"):
                markers = []

    def _field(self, package: str, go_type: str, tags: str, markers: list[str]) -> list[object] | None:
        tag = dict(re.findall(r'(\w+):"(.*?)"', tags))
        name, *options = tag["json"].split(",")
        if "protobuf" not in tag:
            return None  # TypeMeta
        _, number, *_, named = tag["protobuf"].split(",")[:4]
        inline = not name
        told = self._type(package, go_type.removeprefix("*"))
        emit = _emit(told, go_type, is_omitted="omitempty" in options or "omitzero" in options)
        extras = _extras(tag, markers) | ({"inline": True} if inline else {})
        if not inline and not _is_optional(options, markers):
            extras["required"] = True
        one: list[object] = [named.removeprefix("name=") if inline else name, int(number), told, "" if inline else emit]
        return [*one, extras] if extras else one

    def _type(self, package: str, go_type: str) -> str:
        if go_type in SCALARS:
            return SCALARS[go_type]
        if go_type.startswith("[]"):
            return f"[]{self._type(package, go_type[2:].removeprefix('*'))}"
        if found := re.fullmatch(r"map\[[\w.]+\](.*)", go_type):
            return f"{{}}{self._type(package, found[1])}"
        alias, dot, name = go_type.rpartition(".")
        if not dot:
            return self._own(package, name)
        path = self.package(package).imports[alias]
        if path == META:
            return f"meta.v1.{name}" if is_message(f"meta.v1.{name}") else "string"  # StatusReason and the like
        return SPECIAL.get(f"{path}.{name}") or self._own(path.removeprefix("k8s.io/api/"), name)

    def _own(self, package: str, name: str) -> str:
        alias = self.package(package).aliases.get(name)
        return self.take(package, name) if alias is None else self._type(package, alias)


def is_message(name: str) -> bool:
    """Whether there is a generated message of that name."""
    try:
        Default().FindMessageTypeByName(f"rollplane.{name}")
    except KeyError:
        return False
    return True


def _emit(told: str, go_type: str, *, is_omitted: bool) -> str:
    """Say when JSON shows a field: see ``rollplane.json.v1.Emit``."""
    if told.startswith(("[]", "{}")) or told == "bytes":
        return "" if is_omitted else "always"
    is_pointer, is_message = go_type.startswith("*"), "." in told
    if is_message:
        return ("" if is_omitted else "null") if is_pointer else "always"
    if is_pointer:
        return "set" if is_omitted else "null"
    return "" if is_omitted else "always"


def _extras(tag: dict[str, str], markers: list[str]) -> dict[str, object]:
    said = dict(marker.partition("=")[::2] for marker in markers)
    extras: dict[str, object] = {}
    if "merge" in tag.get("patchStrategy", ""):
        extras["merge"] = tag.get("patchMergeKey", "")
    if said.get("listType") in ("map", "set"):
        extras["list"] = [marker.partition("=")[2] for marker in markers if marker.startswith("listMapKey=")]
    if said.get("mapType") == "atomic":
        extras["atomic"] = True
    return extras


def _is_optional(options: list[str], markers: list[str]) -> bool:
    return bool({"omitempty", "omitzero"} & set(options) or {"optional", "k8s:optional"} & set(markers))


def main(api: str, aggregator: str) -> None:
    """Write the facts."""
    for group in ("core", "meta"):  # whose messages are then known
        import_module(f"rollplane.{group}.v1")
    reader = Reader(Path(api), Path(aggregator))
    for package, names in KINDS.items():
        for name in names:
            reader.take(package, name)
    lines = [
        f"{json.dumps(package)}: {{\n"
        + ",\n".join(f"{json.dumps(name)}: {json.dumps(told)}" for name, told in sorted(structs.items()))
        + "\n}"
        for package, structs in sorted(reader.facts.items())
    ]
    FACTS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
