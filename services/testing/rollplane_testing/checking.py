"""Whether options can be those of a plane: told of each by its name, before anything is started."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from rollplane_kubelet_sim.limits import MAX_NODES
from rollplane_kubelet_sim.profiles import NAMES as PROFILES
from rollplane_kubelet_sim.profiles import shipped_text
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.releases import LATEST, release_of
from rollplane_rehearsal.nodes import fleet_of
from rollplane_testing.options import Options, nodes_of, profile_of


def check(options: Options) -> None:
    """Raise ValueError unless a plane can be as ``options`` say: all that cannot be, each by its name."""
    if told := [f"{name}: {wrong}" for name, look in _LOOKS.items() if (wrong := look(options))]:
        raise ValueError("; ".join(told))


def _nodes(options: Options) -> str:
    nodes = options.nodes
    if isinstance(nodes, str):
        return _refusal(lambda: fleet_of(nodes_of(options), LATEST), f"{_NODES}; ")
    possible = 0 <= nodes <= MAX_NODES if _is_whole(nodes) else isinstance(nodes, list | tuple)
    return "" if possible else f"{_NODES}; is {nodes!r}"


def _profile(options: Options) -> str:
    if not isinstance(options.profile, str):
        return f"{_PROFILE}; is {options.profile!r}"
    return _refusal(lambda: _read_profile(options))


def _read_profile(options: Options) -> None:
    profile = profile_of(options)
    if isinstance(profile, str):
        shipped_text(profile)


def _seed(options: Options) -> str:
    return "" if _is_whole(options.seed) else f"must be a whole number; is {options.seed!r}"


def _release(options: Options) -> str:
    if not isinstance(options.release, str):
        return f'must be text, such as "{LATEST.name}"; is {options.release!r}'
    return _refusal(lambda: release_of(options.release)) if options.release else ""


def _speed(options: Options) -> str:
    speed: object = options.speed
    is_number = isinstance(speed, int | float) and not isinstance(speed, bool)
    return "" if is_number and 0 <= options.speed < math.inf else f"must be a number from 0 on; is {speed!r}"


def _own(options: Options) -> str:
    return "" if isinstance(options.own, bool) else f"must be True or False; is {options.own!r}"


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def _refusal(read: Callable[[], object], before: str = "") -> str:
    try:
        read()
    except OSError as exc:
        return f"{before}{exc.filename}: {exc.strerror}"
    except RollplaneError as exc:
        return f"{before}{exc}"
    return ""


_NODES = f"must be a number from 0 to {MAX_NODES}, or a file of pools or Nodes"
_PROFILE = f"must be one of {', '.join(PROFILES)}, or a file of a profile"
_LOOKS: Mapping[str, Callable[[Options], str]] = MappingProxyType(
    {"nodes": _nodes, "profile": _profile, "seed": _seed, "release": _release, "speed": _speed, "own": _own}
)
