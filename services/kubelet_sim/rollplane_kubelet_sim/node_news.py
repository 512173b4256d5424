"""What kubelets tell of their nodes in Events: that they started, and what has changed since.

Source: kubernetes/kubernetes pkg/kubelet/kubelet_node_status.go and nodestatus/setters.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from rollplane_kubelet_sim.stages.containers import Note

TOLD_AT_ONCE = 20
"""How many nodes are told of in one second: a thousand start together, and pods are more urgent."""

_WORDS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("MemoryPressure", "False"): "NodeHasSufficientMemory",
        ("DiskPressure", "False"): "NodeHasNoDiskPressure",
        ("PIDPressure", "False"): "NodeHasSufficientPID",
        ("Ready", "True"): "NodeReady",
        ("Ready", "False"): "NodeNotReady",
    }
)


def start_notes(name: str, *, registered: bool) -> Sequence[Note]:
    """Return what a kubelet says when it starts; ``registered``: its node is a new one, and healthy."""
    healthy = [word for word in _WORDS.values() if word != "NodeNotReady"] if registered else []
    notes = [_status_note(name, word) for word in healthy]
    enforced = Note("NodeAllocatableEnforced", "Updated Node Allocatable limit across pods")
    return (Note("Starting", "Starting kubelet."), *notes[:3], enforced, *notes[3:])


def change_notes(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Note]:
    """Yield what is to be told of conditions, statuses by type, that are no longer what they were."""
    for (type_, status), word in _WORDS.items():
        if after.get(type_) == status != before.get(type_):
            yield _status_note(name, word)


def cordon_note(name: str, *, unschedulable: bool) -> Note:
    """Return what is told of a node that has been cordoned, or no longer is."""
    return _status_note(name, "NodeNotSchedulable" if unschedulable else "NodeSchedulable")


def _status_note(name: str, word: str) -> Note:
    return Note(word, f"Node {name} status is now: {word}")


class NodeNews:
    """What is still to be told, by node; ``emit`` writes one Event about a node."""

    def __init__(self, emit: Callable[[str, Note], None]) -> None:
        self._emit = emit
        self._waiting: dict[str, list[Note]] = {}

    def add(self, name: str, notes: Sequence[Note]) -> None:
        """Tell ``notes`` in their order, soon."""
        if notes:
            self._waiting.setdefault(name, []).extend(notes)

    def tell(self) -> None:
        """Tell what the first nodes that wait have to say."""
        for name in list(self._waiting)[:TOLD_AT_ONCE]:
            for note in self._waiting.pop(name):
                self._emit(name, note)
