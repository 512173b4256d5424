"""Any writes to a custom object, over real sockets: each is answered, and what is stored is what its schema lets in."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rollplane_machinery.structural.parsing import parse_schema
from tests.customs import DEFINITIONS, PATH, SCHEMA, custom, definition
from tests.gateway.serving import Served, serving

Json = Any
ONE = f"{PATH}/one"
SCHEMA_OF_ONE = parse_schema(SCHEMA)
FIT = st.fixed_dictionaries(
    {},
    optional={
        "cron": st.sampled_from(["* * * * 5", "1 2 3 4 5", "now"]),
        "replicas": st.integers(-1, 3) | st.none(),
        "tags": st.lists(
            st.fixed_dictionaries({}, optional={"name": st.sampled_from("ab"), "value": st.sampled_from("xy")}),
            max_size=3,
        ),
        "other": st.booleans(),
    },
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
SPECS = FIT | FIT | ANY
STEPS = st.sampled_from(["add", "replace", "remove", "test"])
PLACES = st.sampled_from(
    ["/spec", "/spec/replicas", "/spec/tags/0", "/spec/tags/-", "/status/replicas", "/metadata/labels"]
)
OPERATIONS = st.lists(st.fixed_dictionaries({"op": STEPS, "path": PLACES, "value": SPECS}), max_size=2)
WRITES = st.one_of(
    st.tuples(st.sampled_from(["create", "replace", "merge", "apply", "status", "scale"]), SPECS),
    st.tuples(st.just("operations"), OPERATIONS),
    st.tuples(st.just("delete"), st.none()),
)
ANSWERS = frozenset({200, 201, 400, 404, 409, 422})


async def write(gateway: Served, how: str, said: Json) -> int:
    """Make one write, and return how it was answered."""
    if how == "create":
        return (await gateway.ask("POST", PATH, custom(spec=said))).status
    if how == "replace":
        return (await gateway.ask("PUT", ONE, custom(spec=said))).status
    if how == "delete":
        return (await gateway.ask("DELETE", ONE)).status
    if how == "apply":
        path, body, kind = f"{ONE}?fieldManager=story&force=true", custom(spec=said), "apply-patch+yaml"
    elif how == "operations":
        path, body, kind = ONE, said, "json-patch+json"
    else:
        member = {"merge": "spec", "status": "status", "scale": "spec"}[how]
        path, body, kind = f"{ONE}{'' if how == 'merge' else f'/{how}'}", {member: said}, "merge-patch+json"
    data = json.dumps(body).encode()
    return (await gateway.ask("PATCH", path, data, headers={"Content-Type": f"application/{kind}"})).status


async def story(gateway: Served, writes: list[tuple[str, Json]]) -> None:
    for how, said in writes:
        assert await write(gateway, how, said) in ANSWERS, (how, said)
        stored = await gateway.get(ONE)
        if stored.status == 200:
            value = stored.json
            assert SCHEMA_OF_ONE.validate(value) == []
            assert SCHEMA_OF_ONE.default(SCHEMA_OF_ONE.prune(value)[0]) == value
    await gateway.ask("DELETE", ONE)


def test_stories() -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        gateway = runner.run(stack.enter_async_context(serving()))
        try:
            assert runner.run(gateway.ask("POST", DEFINITIONS, definition())).status == 201

            @settings(max_examples=60)
            @given(st.lists(WRITES, max_size=6))
            def told(writes: list[tuple[str, Json]]) -> None:
                runner.run(story(gateway, writes))

            told()
        finally:
            runner.run(stack.aclose())
