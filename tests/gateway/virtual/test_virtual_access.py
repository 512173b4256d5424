"""May somebody do something: everything that is served, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.authorization import v1 as authorization
from rollplane_gateway.virtual import access
from rollplane_machinery import codec
from rollplane_machinery.errors import BadRequestError, InvalidError
from rollplane_machinery.releases import LATEST
from rollplane_machinery.served import served

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "stored": ({"verb": "list", "resource": "pods", "namespace": "a"}, ""),
    "of a group": ({"verb": "delete", "group": "apps", "resource": "deployments", "name": "web"}, ""),
    "in another version": ({"verb": "watch", "group": "events.k8s.io", "version": "v1", "resource": "events"}, ""),
    "asked only": ({"verb": "create", "group": "authorization.k8s.io", "resource": "selfsubjectrulesreviews"}, ""),
    "all of them": ({"verb": "*", "group": "*", "resource": "*"}, ""),
    "subresource": ({"verb": "update", "group": "apps", "resource": "deployments", "subresource": "scale"}, ""),
    "in others' names": ({"verb": "impersonate", "resource": "users"}, ""),
    "custom resources": (
        {"verb": "list", "group": "example.com", "resource": "crontabs"},
        "crontabs.example.com is not served here",
    ),
    "another group's": ({"verb": "list", "resource": "deployments"}, "deployments is not served here"),
    "no such subresource": (
        {"verb": "create", "resource": "pods", "subresource": "exec"},
        "pods/exec is not served here",
    ),
}


@pytest.mark.parametrize(("attributes", "reason"), CASES.values(), ids=CASES)
def test_what_is_served_is_allowed(attributes: dict[str, Any], reason: str) -> None:
    spec = codec.message_from_json(authorization.SelfSubjectAccessReviewSpec, {"resourceAttributes": attributes})
    status = access.judge(served(LATEST), spec)
    assert (status.allowed, status.reason, status.denied) == (not reason, reason, False)


def test_paths_are_allowed() -> None:
    spec = authorization.SelfSubjectAccessReviewSpec()
    spec.non_resource_attributes.path = "/healthz"
    assert access.judge(served(LATEST), spec).allowed


def test_all_rules() -> None:
    rules = codec.message_to_json(access.all_rules())
    assert rules == {
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        "incomplete": False,
    }


def test_exactly_one_thing_is_asked() -> None:
    review = authorization.SelfSubjectAccessReview()
    with pytest.raises(InvalidError, match=r'^SelfSubjectAccessReview\.authorization\.k8s\.io "" is invalid: spec\.'):
        access.check_self(review)
    review.spec.resource_attributes.verb = "get"
    access.check_self(review)
    review.spec.non_resource_attributes.path = "/"
    with pytest.raises(InvalidError, match="exactly one"):
        access.check_self(review)


def test_a_subject_is_named() -> None:
    review = authorization.SubjectAccessReview()
    review.spec.resource_attributes.verb = "get"
    with pytest.raises(InvalidError, match=r"spec\.user: required"):
        access.check_subject(review)
    review.spec.groups.append("team")
    access.check_subject(review)


def test_a_local_question_is_about_its_namespace() -> None:
    review = authorization.LocalSubjectAccessReview()
    review.spec.user = "jane"
    review.spec.resource_attributes.verb = "get"
    access.check_local(review, "here")
    assert review.spec.resource_attributes.namespace == "here"
    with pytest.raises(BadRequestError, match="must match namespace: there"):
        access.check_local(review, "there")
    paths = authorization.LocalSubjectAccessReview()
    paths.spec.user = "jane"
    paths.spec.non_resource_attributes.path = "/"
    with pytest.raises(InvalidError, match="nonResourceAttributes"):
        access.check_local(paths, "here")
