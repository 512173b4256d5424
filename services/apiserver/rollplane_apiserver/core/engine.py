"""The parts of a running core, as every caller's session shares them."""

from __future__ import annotations

from dataclasses import dataclass, field

from rollplane_apiserver.core.custom_door import CustomDoor
from rollplane_apiserver.core.pipeline import Pipeline
from rollplane_apiserver.core.reads import Reads
from rollplane_apiserver.core.settings import CoreSettings
from rollplane_apiserver.core.tools import Tools
from rollplane_apiserver.rollout.edit import Turns
from rollplane_apiserver.store.interface import Store
from rollplane_machinery.clock import Clock


@dataclass(frozen=True, slots=True)
class Engine:
    """One core's reading and writing sides."""

    store: Store
    clock: Clock
    settings: CoreSettings
    tools: Tools
    reads: Reads
    pipeline: Pipeline
    custom_door: CustomDoor
    turns: Turns = field(default_factory=Turns)
