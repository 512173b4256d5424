"""What repeats from object to object is held once."""

from __future__ import annotations

from rollplane.core.v1 import Pod
from rollplane.meta.v1 import OwnerReference
from rollplane_controller.reconcile.views import WatchedPod, make_view
from rollplane_machinery.kinds import POD, Encoded
from rollplane_machinery.remembering import same, same_labels, same_texts


def test_equal_texts_become_one() -> None:
    ones, others = ("ab" * 3, "cd"), ("".join(["ab", "abab"]), "".join(["c", "d"]))
    assert ones[0] is not others[0]
    assert same(ones[0]) is same(others[0])
    assert same_texts(*ones) is same_texts(*others)
    assert same_labels({"app": ones[0]}) is same_labels({"app": others[0]})
    assert same_labels({"app": "a"}) != same_labels({"app": "b"})


def test_what_is_kept_of_two_pods_of_one_set_is_held_once() -> None:
    one, other = make_view(Encoded.of(_pod("web-1"))), make_view(Encoded.of(_pod("web-2")))
    assert isinstance(one, WatchedPod)
    assert isinstance(other, WatchedPod)
    for name in ("namespace", "node_name", "phase", "labels", "controller_uid", "image", "scheduler", "requests"):
        assert getattr(one.pod, name) is getattr(other.pod, name), name
    assert one.blocked_uids is other.blocked_uids
    assert one.name != other.name


def test_a_view_shares_its_name_with_the_key() -> None:
    encoded = Encoded(POD, Encoded.of(_pod("web-1")).value)
    view = make_view(encoded)
    assert view.name is encoded.key.name


def test_owners_are_told_with_the_controller_first() -> None:
    pod = _pod("web-1")
    pod.metadata.owner_references.insert(0, OwnerReference(uid="uid-of-another"))
    view = make_view(Encoded.of(pod))
    assert view.owner_uids == ("uid-of-the-set", "uid-of-another")


def _pod(name: str) -> Pod:
    pod = Pod()
    pod.metadata.name, pod.metadata.namespace, pod.metadata.uid = name, "shop-front", f"uid-of-{name}"
    pod.metadata.labels["app"], pod.metadata.labels["tier"] = "web", "front"
    pod.metadata.owner_references.add(uid="uid-of-the-set", controller=True, block_owner_deletion=True)
    container = pod.spec.containers.add(name="app", image="registry/nginx:1.27")
    container.resources.requests["cpu"].string = "250m"
    pod.spec.node_name, pod.spec.scheduler_name = "node-4711", "some-scheduler"
    pod.status.phase = "Running"
    return pod
