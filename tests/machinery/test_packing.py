"""Objects at rest take less, and are told as they were."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from rollplane.core.v1 import ConfigMap, Namespace, Pod
from rollplane_machinery.kinds import CONFIG_MAP, NAMESPACE, POD, Encoded
from rollplane_machinery.packing import Packed, Packer, Settling, size_of, unpacked


def _pod(number: int, image: str = "registry.example/shop/front:1.27") -> Encoded:
    pod = Pod()
    pod.metadata.name, pod.metadata.namespace = f"front-5976fd65dc-{number:05}", "shop"
    pod.metadata.uid = str(random.Random(number).getrandbits(128))
    pod.metadata.labels["app.kubernetes.io/name"] = "front"
    for name in ("app", "sidecar", "metrics"):
        pod.spec.containers.add(name=name, image="nginx:1.27", termination_message_path="/dev/termination-log")
    pod.spec.containers[0].image = image
    return Encoded.of(pod)


def test_pods_of_one_template_take_a_fraction() -> None:
    packer, pods = Packer(), [_pod(number) for number in range(100)]
    held = [packer.pack(pod) for pod in pods]
    assert [unpacked(one) for one in held] == pods
    assert sum(map(size_of, held[1:])) * 3 < sum(len(pod.value) for pod in pods[1:])
    assert len({id(one.dictionary) for one in held if isinstance(one, Packed)}) == 1


def test_other_templates_get_a_dictionary_of_their_own_once_they_are_many() -> None:
    packer, noise = Packer(), random.Random(7)
    images = ["".join(noise.choices("abcdefghijklmnop0123456789/", k=900)) for _ in range(3)]
    held = [packer.pack(_pod(number, images[number % 3])) for number in range(300)]
    dictionaries = {id(one.dictionary) for one in held if isinstance(one, Packed)}
    assert 2 <= len(dictionaries) <= 4
    assert all(size_of(one) * 2 < len(unpacked(one).value) for one in held[200:])


def test_what_gets_no_smaller_stays_as_it_is() -> None:
    packer = Packer()
    noise = [ConfigMap(binary_data={"k": random.Random(number).randbytes(500)}) for number in range(50)]
    encoded = [Encoded(CONFIG_MAP, one.SerializeToString()) for one in noise]
    assert [packer.pack(one) for one in encoded] == encoded


def test_what_every_write_asks_for_is_not_packed() -> None:
    packer = Packer()
    for number in range(3):
        namespace = Namespace()
        namespace.metadata.name, namespace.metadata.annotations["about"] = f"n{number}", "words " * 100
        encoded = Encoded.of(namespace)
        assert encoded.kind is NAMESPACE
        assert packer.pack(encoded) is encoded


@given(st.lists(st.binary(max_size=2_000), max_size=40))
def test_whatever_is_packed_is_told_as_it_was(values: list[bytes]) -> None:
    packer = Packer()
    encoded = [Encoded(POD, value) for value in values]
    assert [unpacked(packer.pack(one)) for one in encoded] == encoded


def test_at_rest_is_what_did_not_change_for_a_whole_turn() -> None:
    settling: Settling[str] = Settling()
    settling.note("a")
    settling.note("b")
    assert settling.turn() == []
    settling.note("b")
    assert settling.turn() == ["a"]
    assert settling.turn() == ["b"]
    assert settling.turn() == []
