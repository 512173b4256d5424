"""The shipped profiles, by name."""

from __future__ import annotations

from importlib import resources

from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.strict_reading import meant

NAMES = ("instant", "realistic", "flaky", "manual")


def shipped_profile(name: str) -> Profile:
    """Return the profile shipped as ``name``; raises NotFoundError naming those there are."""
    return parse_profile(shipped_text(name), f"{name}.yaml")


def shipped_text(name: str) -> str:
    """Return its YAML; raises NotFoundError naming those there are."""
    if name not in NAMES:
        raise NotFoundError(f"no profile {name!r}{meant(name, NAMES) or ':'} there are {', '.join(NAMES)}")
    return resources.files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
