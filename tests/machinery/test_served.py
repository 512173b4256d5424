"""The table of what is served over REST."""

from __future__ import annotations

import pytest

from rollplane_machinery.dresses import dress_of
from rollplane_machinery.kinds import KINDS, POD
from rollplane_machinery.releases import LATEST, RECORDED, release_of
from rollplane_machinery.served import GroupVersion, Resource, served

APPS = GroupVersion("apps", "v1")
CORE = GroupVersion("", "v1")


def found(group_version: GroupVersion, plural: str) -> Resource:
    resource = served(LATEST).resource(group_version, plural)
    assert resource is not None
    return resource


def test_every_kind_is_served_in_its_storage_version() -> None:
    for kind in KINDS:
        resource = found(GroupVersion(kind.group, kind.version), kind.plural)
        assert (resource.stored, resource.namespaced, resource.type.name) == (kind, kind.namespaced, kind.name)


@pytest.mark.parametrize(("version", "text", "path"), [(CORE, "v1", "/api/v1"), (APPS, "apps/v1", "/apis/apps/v1")])
def test_text_and_path(version: GroupVersion, text: str, path: str) -> None:
    assert (str(version), version.path) == (text, path)


def test_subresources() -> None:
    assert list(found(CORE, "pods").by_subresource) == ["binding", "eviction", "log", "status"]
    assert list(found(APPS, "deployments").by_subresource) == ["scale", "status"]
    assert list(found(APPS, "daemonsets").by_subresource) == ["status"]
    assert not found(CORE, "configmaps").subresources
    assert str(found(APPS, "deployments").by_subresource["scale"].type.group_version) == "autoscaling/v1"
    assert str(found(CORE, "pods").by_subresource["eviction"].type.group_version) == "policy/v1"


def test_namespaces_are_not_deleted_by_the_collection() -> None:
    assert "deletecollection" not in found(CORE, "namespaces").verbs


def test_versions_are_in_order_and_complete() -> None:
    groups = served(LATEST).groups
    assert list(groups)[:2] == ["", "apps"]
    assert [each for versions in groups.values() for each in versions] == list(served(LATEST).by_group_version)


def test_nothing_else_is_served() -> None:
    assert served(LATEST).resource(APPS, "pods") is None


def test_old_releases_tell_no_singular_names() -> None:
    old = served(RECORDED).resource(CORE, POD.plural)
    assert old is not None
    assert (old.singular, found(CORE, POD.plural).singular) == ("", "pod")


def test_hash_of_the_storage_version_as_recorded() -> None:
    assert found(APPS, "deployments").storage_version_hash == "8aSe+NMegvE="


@pytest.mark.parametrize(
    ("release", "budgets", "eviction", "events"),
    [
        ("1.20", ["policy/v1beta1"], "policy/v1beta1", ["v1", "v1beta1"]),
        ("1.21", ["policy/v1", "policy/v1beta1"], "policy/v1beta1", ["v1", "v1beta1"]),
        ("1.24", ["policy/v1", "policy/v1beta1"], "policy/v1", ["v1", "v1beta1"]),
        ("1.25", ["policy/v1"], "policy/v1", ["v1"]),
    ],
)
def test_versions_come_and_go(release: str, budgets: list[str], eviction: str, events: list[str]) -> None:
    table = served(release_of(release))
    assert [str(each) for each in table.groups["policy"]] == budgets
    assert [each.version for each in table.groups["events.k8s.io"]] == events
    pods = table.resource(CORE, "pods")
    assert pods is not None
    assert str(pods.by_subresource["eviction"].type.group_version) == eviction


def test_what_is_dressed_has_a_dress() -> None:
    for release in ("1.20", "1.24", "1.37"):
        for each in served(release_of(release)).resources:
            if each.stored is not None:
                dress = dress_of(each.stored, str(each.group_version))
                assert (dress is not None) == each.is_dressed
                assert each.type.message is (each.stored.message if dress is None else dress.message)


def test_questions() -> None:
    access = found(GroupVersion("authorization.k8s.io", "v1"), "selfsubjectaccessreviews")
    assert (access.stored, access.verbs, access.singular) == (None, ("create",), "selfsubjectaccessreview")
    whoami = (GroupVersion("authentication.k8s.io", "v1"), "selfsubjectreviews")
    assert served(LATEST).resource(*whoami) is not None
    assert served(release_of("1.27")).resource(*whoami) is None
