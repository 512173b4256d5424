"""Names and bodies of the pods that controllers create; randomness comes in from outside."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from rollplane.core.v1 import Pod
from rollplane_planners.claims import Owner
from rollplane_planners.hashing import SAFE_ALPHABET
from rollplane_planners.model import CreateDistinctPods, CreatePods

SUFFIX_LENGTH = 5
PREFIX_LENGTH = 58


def new_pods(write: CreatePods, owner: Owner, namespace: str, random: Random) -> Iterator[Pod]:
    """Yield the pods of ``write``, each with a name of its own, so that creating one twice is harmless."""
    body = Pod(spec=write.template.spec)
    template = write.template.metadata
    body.metadata.namespace = namespace
    body.metadata.generate_name = write.prefix
    body.metadata.labels.update(template.labels)
    body.metadata.annotations.update(template.annotations)
    body.metadata.finalizers.extend(template.finalizers)
    body.metadata.owner_references.append(owner.reference())
    for _ in range(write.count):
        pod = Pod()
        pod.CopyFrom(body)
        pod.metadata.name = _new_name(write.prefix, random)
        yield pod


def named(write: CreateDistinctPods, random: Random) -> Iterator[Pod]:
    """Yield the pods of ``write`` under names of their own."""
    for body in write.pods:
        pod = Pod()
        pod.CopyFrom(body)
        pod.metadata.generate_name = write.prefix
        pod.metadata.name = _new_name(write.prefix, random)
        yield pod


def _new_name(prefix: str, random: Random) -> str:
    return prefix[:PREFIX_LENGTH] + "".join(random.choices(SAFE_ALPHABET, k=SUFFIX_LENGTH))
