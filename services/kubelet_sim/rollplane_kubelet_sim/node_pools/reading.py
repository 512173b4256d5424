"""The fields of a pool, the same on a command line and in a file; every one that is wrong is told."""

from __future__ import annotations

from collections.abc import Mapping

from rollplane_kubelet_sim.limits import MAX_NODES
from rollplane_kubelet_sim.node_pools.pools import NodePool, Taint
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.names import check_dns1123_subdomain, check_label_value, check_qualified_name
from rollplane_machinery.quantity import canonical, nanos
from rollplane_machinery.strict_reading import TEXT, Field, Fields, Json, StrictReader, map_of, one_or_more, shape_of

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_AMOUNTS: Mapping[str, str] = {"cpu": "cpu", "memory": "memory", "pods": "pods", "storage": "ephemeral-storage"}
"""Fields that are resources of their own, by what the resource is called."""
AMOUNT: Json = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^\+?[0-9.]"}]}
TAINT: Json = {"type": "string", "pattern": f":({'|'.join(EFFECTS)})$"}


class PoolReader(StrictReader):
    """Reads pools."""

    def pool(self, data: object, path: str) -> NodePool:
        """Read one pool."""
        read = self.mapping(data, path, self.pool_fields())
        capacity = {resource: read[name] for name, resource in _AMOUNTS.items() if name in read}
        capacity |= read.get("resource", {})
        allocatable = {_AMOUNTS.get(name, name): amount for name, amount in read.get("allocatable", {}).items()}
        self._compare(capacity, allocatable, path)
        return NodePool(
            read.get("name", ""),
            read.get("count"),
            read.get("zone", ()),
            read.get("region", ""),
            read.get("type", ""),
            read.get("role", ()),
            read.get("label", {}),
            read.get("taint", ()),
            capacity,
            allocatable,
            read.get("unschedulable", False),
        )

    def pool_shape(self) -> Json:
        """Return the shape of a pool."""
        return shape_of(self.pool_fields())

    def pool_fields(self) -> Fields:
        return {
            "name": Field(self._name, TEXT),
            "count": self.an_integer(low=1, high=MAX_NODES),
            "zone": Field(self._label_values, one_or_more(TEXT)),
            "region": Field(self._label_value, TEXT),
            "type": Field(self._label_value, TEXT),
            "role": Field(self._roles, one_or_more(TEXT)),
            "label": Field(self.checked_labels, map_of(TEXT)),
            "taint": Field(self._taints, one_or_more(TAINT)),
            **dict.fromkeys(_AMOUNTS, Field(self.amount, AMOUNT)),
            "resource": Field(self.amounts, map_of(AMOUNT)),
            "allocatable": Field(self.amounts, map_of(AMOUNT)),
            "unschedulable": self.a_flag(),
        }

    def _compare(self, capacity: Mapping[str, str], allocatable: Mapping[str, str], path: str) -> None:
        for name in capacity.keys() & allocatable.keys():
            if nanos(allocatable[name]) > nanos(capacity[name]):
                at = f"{path}.allocatable.{name}".lstrip(".")
                self.refuse(at, f"is {allocatable[name]}, more than the capacity of {capacity[name]}")

    def _name(self, data: object, path: str) -> str:
        name = self.text(data, path)
        self.told(path, name, check_dns1123_subdomain(name))
        return name

    def told(self, path: str, value: str, problems: list[str]) -> None:
        """Take note of what is wrong with a value."""
        for problem in problems[:1]:
            self.refuse(path, f"is {value!r}: {problem}")

    def _label_value(self, data: object, path: str) -> str:
        value = self.text(data, path)
        self.told(path, value, check_label_value(value))
        return value

    def _label_values(self, data: object, path: str) -> tuple[str, ...]:
        return tuple(self._label_value(each, path) for each in _listed(data))

    def _roles(self, data: object, path: str) -> tuple[str, ...]:
        roles = self.texts(data, path)
        for role in roles:
            self.told(path, role, check_qualified_name(role))
        return roles

    def checked_labels(self, data: object, path: str) -> dict[str, str]:
        """Read a mapping of labels."""
        labels = self.labels(data, path)
        for name, value in labels.items():
            self.told(path, name, check_qualified_name(name))
            self.told(f"{path}.{name}", value, check_label_value(value))
        return labels

    def _taints(self, data: object, path: str) -> tuple[Taint, ...]:
        taints = tuple(self.taint(each, path) for each in _listed(data))
        if len({(taint.key, taint.effect) for taint in taints}) < len(taints):
            self.refuse(path, "two taints have one key and one effect")
        return taints

    def taint(self, data: object, path: str) -> Taint:
        """Read ``key=value:Effect`` or ``key:Effect``, as kubectl writes a taint."""
        written = self.text(data, path)
        rest, colon, effect = written.rpartition(":")
        key, _, value = rest.partition("=")
        if not colon or effect not in EFFECTS:
            self.refuse(path, f"is {written!r}, want key=value:EFFECT or key:EFFECT, EFFECT {', '.join(EFFECTS)}")
        else:
            self.told(path, key, check_qualified_name(key))
            self.told(path, value, check_label_value(value))
        return Taint(key, value, effect)

    def amounts(self, data: object, path: str) -> dict[str, str]:
        """Read a mapping of resources to quantities."""
        if not isinstance(data, Mapping):
            self.refuse(path, "must be a mapping of resources to quantities, such as cpu: 15500m")
            return {}
        for name in data:
            self.told(path, str(name), check_qualified_name(str(name)))
        return {str(name): self.amount(amount, f"{path}.{name}") for name, amount in data.items()}

    def amount(self, data: object, path: str) -> str:
        """Read a quantity, written as text or as a number."""
        written = str(data) if isinstance(data, str | int | float) and not isinstance(data, bool) else ""
        try:
            amount = canonical(written)
            if nanos(amount) >= 0:
                return amount
        except BadRequestError:
            pass
        self.refuse(path, f"is {data!r}, want a quantity of 0 or more, such as 16, 500m or 64Gi")
        return "0"


def _listed(data: object) -> list[object]:
    return data if isinstance(data, list) else [data]
