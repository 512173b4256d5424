"""How the plane of a test is: defaults, then what the configuration says, then what the test's markers say."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rollplane_kubelet_sim.stages.rules import Profile
    from rollplane_rehearsal.nodes import Nodes


@dataclass(frozen=True, slots=True)
class Options:
    """``nodes`` is a number, or the path of a file of pools or Nodes; for a plane in the test's process also those.

    ``profile`` is the name of a shipped one or the path of a file, ``release`` empty for the newest. ``speed`` is how
    many seconds pass on a server in a real one, 0 for none until the test steps. ``own`` is a server that no other test
    has.
    """

    nodes: int | str | Any = 3
    profile: str = "instant"
    seed: int = 0
    release: str = ""
    speed: float = 1.0
    own: bool = False

    def having(self, *changes: Mapping[str, Any]) -> Options:
        """Return these with ``changes``, later ones before earlier; raises ValueError for what is no option."""
        wanted = {name: value for change in changes for name, value in change.items()}
        if unknown := sorted(wanted.keys() - set(NAMES)):
            raise ValueError(f"{', '.join(unknown)}: no such option; there are {', '.join(NAMES)}")
        return dataclasses.replace(self, **wanted)

    def words(self) -> str:
        """Return them in a line."""
        release = f" release={self.release}" if self.release else ""
        return f"nodes={self.nodes} profile={self.profile} seed={self.seed}{release}"


NAMES = tuple(field.name for field in dataclasses.fields(Options))


def from_texts(texts: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return what an ini file's words say, by option; raises ValueError for what is no number where one is wanted."""
    return {name: _READ.get(name, str)(text) for name, text in texts if text}


def _nodes(text: str) -> int | str:
    return int(text) if text.isdigit() else text


_READ: Mapping[str, Any] = {"nodes": _nodes, "seed": int, "speed": float}


def nodes_of(options: Options) -> Nodes:
    """Return the nodes as a Plane takes them."""
    return Path(options.nodes) if isinstance(options.nodes, str) else options.nodes


def profile_of(options: Options) -> str | Profile:
    """Return the profile as a Plane takes it; raises OSError for a file that is not there, InvalidError for a bad one.

    A name without a dot or a slash is that of a shipped one.
    """
    if not {".", "/"} & set(options.profile):
        return options.profile
    from rollplane_kubelet_sim.stages.schema import parse_profile

    return parse_profile(Path(options.profile).read_text(encoding="utf-8"), options.profile)
