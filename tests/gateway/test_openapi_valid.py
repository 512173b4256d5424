"""OpenAPI documents in the eyes of a library that knows the standard."""

from __future__ import annotations

import json

import pytest

from rollplane_gateway.openapi.documents import OpenApi
from rollplane_machinery.releases import LATEST
from rollplane_machinery.served import served

validators = pytest.importorskip("openapi_spec_validator", reason="`make dev` installs it")

OPEN_API = OpenApi(LATEST)


@pytest.mark.parametrize("name", [each.path.removeprefix("/") for each in served(LATEST).by_group_version])
def test_a_document_is_valid(name: str) -> None:
    reply = OPEN_API.version_3(name, "")
    assert reply is not None
    found = validators.OpenAPIV30SpecValidator(json.loads(reply.body)).iter_errors()
    assert [error.message for error in found] == []


def test_the_document_of_version_2_is_valid() -> None:
    found = validators.OpenAPIV2SpecValidator(json.loads(OPEN_API.version_2("application/json").body)).iter_errors()
    assert [error.message for error in found] == []
