"""Logs: JSON lines with fields for machines, sentences for people."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from rollplane_service.logs import JsonFormatter, TextFormatter


@pytest.fixture
def lines() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("rollplane_test_logs")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


def test_fields_stand_beside_the_message(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = lines
    logger.info("scaled", extra={"kind": "ReplicaSet", "replicas": 3, "who": {1}})
    logger.debug("looked")
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "rollplane_test_logs",
        "message": "scaled",
        "kind": "ReplicaSet",
        "replicas": 3,
        "who": "{1}",
    }


def test_a_traceback_stays_on_its_line(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = lines
    logger.error("failed", exc_info=ValueError("größer"))
    (text,) = stream.getvalue().splitlines()
    assert "größer" in text
    assert json.loads(text)["error"] == "ValueError: größer"


def test_a_message_told_as_a_sentence_has_its_words_as_fields(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = lines
    logger.warning("the %(child)s %(how)s", {"child": "controller", "how": "was killed"})
    line = json.loads(stream.getvalue())
    assert (line["message"], line["child"], line["how"]) == ("the controller was killed", "controller", "was killed")


def test_people_read_sentences(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = lines
    logger.handlers[0].setFormatter(TextFormatter())
    logger.warning("the %(child)s %(how)s", {"child": "controller", "how": "was killed"})
    logger.warning("waiting", extra={"seconds": 3})
    assert stream.getvalue() == "warning: the controller was killed\nwarning: waiting (seconds=3)\n"
