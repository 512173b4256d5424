"""Which object a flag means: ``web``, ``deploy/web`` or ``deployment/shop/web``, among those that files hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollplane_cli.failures import CommandError
from rollplane_cli.session import Session
from rollplane_machinery.kinds import ApiObject, kind_of
from rollplane_rehearsal.rollouts import Workload
from rollplane_rehearsal.scenario.words import is_meant


class Named:
    """The objects of files by ``kind/namespace/name``; of several, those in the session's namespace are meant."""

    def __init__(self, objects: Iterable[ApiObject], session: Session) -> None:
        self._objects = {_name_of(each): each for each in objects}
        self._session = session

    def workload(self, called: str) -> tuple[str, str]:
        """Return the name of the workload and the container that are meant, "" for none named; raises CommandError."""
        there = [name for name, each in self._objects.items() if isinstance(each, Workload)]
        base, _, container = called.rpartition("/")
        if not self._meant(called, there) and self._meant(base, there):
            return self._one(base, there), container
        return self._one(called, there), ""

    def anything(self, called: str) -> str:
        """Return the name of the object that is meant: a workload, or of the kind named; raises CommandError."""
        return self._one(called, [name for name, each in self._objects.items() if "/" in called or _rolls_out(each)])

    def containers(self, name: str) -> tuple[list[str], list[str]]:
        """Return the containers of a workload, and those that only begin it."""
        workload = self._objects[name]
        if not isinstance(workload, Workload):
            raise TypeError(f"{name} has no containers")
        spec = workload.spec.template.spec
        return [each.name for each in spec.containers], [each.name for each in spec.init_containers]

    def _meant(self, called: str, there: Iterable[str]) -> Sequence[str]:
        found = [name for name in there if is_meant(called, name)]
        here = [name for name in found if name.split("/")[1] in ("", self._session.namespace)]
        only_here = self._session.namespace_given and called.count("/") < FULL
        return here if here or only_here else found

    def _one(self, called: str, there: Sequence[str]) -> str:
        found = self._meant(called, there)
        if len(found) == 1:
            return found[0]
        if found:
            raise CommandError(f"{called} may be each of {', '.join(sorted(found))}: name one of them")
        of_kind = [name for name in there if is_meant(f"{called.partition('/')[0]}/{name.split('/')[2]}", name)]
        known = ", ".join(sorted(of_kind or there)) or "none that could be"
        raise CommandError(f"there is no {called} in what runs or is to run; there is {known}")


FULL = 2
"""How many slashes a name has that says its namespace."""


def _name_of(message: ApiObject) -> str:
    return f"{kind_of(message).singular}/{message.metadata.namespace}/{message.metadata.name}"


def _rolls_out(message: ApiObject) -> bool:
    return isinstance(message, Workload)
