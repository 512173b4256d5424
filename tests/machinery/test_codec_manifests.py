"""Files: documents, lists, lines, duplicates, and bounds."""

from __future__ import annotations

import json

import pytest

from rollplane_machinery import codec
from rollplane_machinery.codec.text import Fault, read_documents
from rollplane_machinery.codec.tree import MAX_DEPTH, MAX_REPEATED_VALUES
from rollplane_machinery.errors import BadRequestError, CauseReason

PROBLEMS: dict[str, tuple[str, list[str]]] = {
    "one field": (
        "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - imagee: x\n",
        ["document 1, line 7: spec.template.spec.containers[0].imagee: unknown field"],
    ),
    "duplicate": (
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: b\n  c: d\n  a: e\n",
        ["document 1, line 6: data.a: duplicate field"],
    ),
    "duplicate object": (
        "apiVersion: v1\nkind: Pod\nspec: {}\nspec:\n  x: 1\n",
        ["document 1, line 4: spec: duplicate field", "document 1, line 5: spec.x: unknown field"],
    ),
    "several documents": (
        "# no document\n---\nkind: Pod\n---\n---\napiVersion: v1\nkind: Pod\nspec: 3\n",
        ["document 1, line 3: apiVersion: is missing", "document 3, line 8: spec: expected object, got integer 3"],
    ),
    "a document that is no YAML does not hide the next": (
        "a: [\n---\nkind: Pod\napiVersion: v1\nx: y\n---\na: b: c\n",
        [
            "document 1, line 2: is no YAML: while parsing a flow node did not find expected node content",
            "document 2, line 5: x: unknown field",
            "document 3, line 7: is no YAML: mapping values are not allowed in this context",
        ],
    ),
    "inside a list": (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  spex: {}\n- 3\n",
        [
            "document 1, line 6: items[0].spex: unknown field",
            "document 1, line 7: items[1]: expected object, got integer 3",
        ],
    ),
    "the list itself": (
        "apiVersion: v1\nkind: List\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, kind: Pod}\n",
        ["document 1, line 3: kind: duplicate field", "document 1, line 5: items[0].kind: duplicate field"],
    ),
    "a list of something odd": (
        "apiVersion: []\nkind: PodList\nitems: [{}]\n",
        ["document 1, line 3: items[0].apiVersion: is missing", "document 1, line 3: items[0].kind: is missing"],
    ),
    "a wrong scalar": ("- a\n", ["document 1, line 1: expected object, got array"]),
    "a value that is missing is told at its object": (
        "metadata:\n  name: x\n",
        ["document 1, line 1: apiVersion: is missing", "document 1, line 1: kind: is missing"],
    ),
    "JSON": (
        '{"apiVersion": "v1",\n "kind": "ConfigMap",\n "data": {"a": "1",\n  "a": 2}}\n',
        ["document 1, line 4: data.a: duplicate field", "document 1, line 4: data.a: expected string, got integer 2"],
    ),
    "anchor that is not there": ("a: *x\n", ["document 1, line 1: no anchor &x before this line"]),
    "anchor inside itself": ("a: &x [1, *x]\n", ["document 1, line 1: &x contains itself"]),
    "a list as name": ("a: 1\n? [b]\n: c\n", ["document 1, line 2: a name must be a scalar"]),
    "an alias as name": ("a: &x b\n*x : c\n", ["document 1, line 2: an alias cannot be a name"]),
    "null as name": ("~: 1\n", ["document 1, line 1: a name must not be null"]),
    "merged scalar": ("a:\n  <<: 3\n", ["document 1, line 2: << can only merge objects"]),
    "unknown tag": ("a: 1\nb: !env X\n", ["document 1, line 2: no such tag as !env"]),
    "unknown tag of an object": ("a: !env {}\n", ["document 1, line 1: no such tag as !env"]),
    "tag that does not fit": ("a: !!int x\n", ["document 1, line 1: 'x' is no integer"]),
    "no JSON number": ("a: .inf\n", ["document 1, line 1: .inf is not a JSON number"]),
    "control character": ("a: b\nc: \x01\n", ["document 1, line 2: is no YAML: control characters are not allowed"]),
}


@pytest.mark.parametrize(("text", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems_have_document_and_line(text: str, expected: list[str]) -> None:
    with pytest.raises(codec.ManifestError) as caught:
        codec.load_manifests(text, "app.yaml")
    assert [str(problem) for problem in caught.value.problems] == expected
    assert caught.value.message.startswith("app.yaml: ")
    assert len(caught.value.causes) == len(expected)


def test_one_error_is_a_bad_request_with_causes() -> None:
    with pytest.raises(BadRequestError) as caught:
        codec.load_manifests("apiVersion: v1\nkind: Pod\nspec:\n  x: 1\n")
    [cause] = caught.value.causes
    assert (cause.reason, cause.field) == (CauseReason.UNKNOWN_FIELD, "spec.x")
    assert cause.message == "unknown field (document 1, line 4)"


def _names(text: str | bytes) -> list[tuple[str, int, int]]:
    return [(m.object.metadata.name, m.document, m.line) for m in codec.load_manifests(text)]


def _pod(name: str) -> str:
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\n"


FILES: dict[str, tuple[str, list[tuple[str, int, int]]]] = {
    "nothing": ("", []),
    "comments": ("# a\n# b\n", []),
    "empty documents": ("---\n---\n", []),
    "one": (_pod("a"), [("a", 1, 1)]),
    "after a marker": (f"---\n{_pod('a')}", [("a", 1, 2)]),
    "byte order mark": ("\ufeff" + _pod("a"), [("a", 1, 1)]),
    "two": (f"{_pod('a')}---\n{_pod('b')}", [("a", 1, 1), ("b", 2, 5)]),
    "marker with a comment": (f"{_pod('a')}--- # next\n{_pod('b')}", [("a", 1, 1), ("b", 2, 5)]),
    "document end": (f"{_pod('a')}...\n---\n{_pod('b')}", [("a", 1, 1), ("b", 2, 6)]),
    "directive": (f"%YAML 1.1\n---\n{_pod('a')}", [("a", 1, 3)]),
    "carriage returns": (_pod("a").replace("\n", "\r\n") + "---\r\n" + _pod("b"), [("a", 1, 1), ("b", 2, 5)]),
    "marker inside of text": (_pod("a") + "spec:\n  nodeName: |\n    ---\n", [("a", 1, 1)]),
    "list": (
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n"
        "- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: v1, kind: Pod, metadata: {name: b}}\n",
        [("a", 1, 4), ("b", 1, 8)],
    ),
    "typed list": ("apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n", [("a", 1, 4)]),
    "empty list": ("apiVersion: v1\nkind: List\nitems: []\n", []),
    "JSON": ('{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}', [("a", 1, 1)]),
    "several JSON values": (
        '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}\n\n'
        '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "b"}}',
        [("a", 1, 1), ("b", 2, 3)],
    ),
    "JSON escapes YAML does not know": (
        '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "\\ud83d\\ude00\\/"}}',
        [("\U0001f600/", 1, 1)],
    ),
    "flow YAML that looks like JSON": ("{apiVersion: v1, kind: Pod, metadata: {name: a}}", [("a", 1, 1)]),
}


@pytest.mark.parametrize(("text", "expected"), FILES.values(), ids=FILES)
def test_files(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert _names(text) == expected
    assert _names(text.encode()) == expected


def test_good_documents_are_read_beside_bad_ones() -> None:
    loaded = codec.read_manifests(f"{_pod('a')}---\nkind: X\n---\n{_pod('b')}", "f.yaml")
    assert [manifest.object.metadata.name for manifest in loaded.manifests] == ["a", "b"]
    assert [manifest.source for manifest in loaded.manifests] == ["f.yaml", "f.yaml"]
    assert [problem.line for problem in loaded.problems] == [5]


def test_lenient_reading_warns() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, x: 1, kind: Pod}\n"
    [manifest] = codec.load_manifests(text, strict=False)
    assert [str(cause) for cause in manifest.warnings] == [
        "items[0].kind: duplicate field",
        "items[0].x: unknown field",
    ]


def test_aliases_and_merges() -> None:
    text = """
apiVersion: v1
kind: Pod
metadata:
  labels: &labels {app: a, tier: &tier b}
  annotations: {<<: *labels, app: c, tier2: *tier}
spec:
  nodeSelector: {<<: [*labels, {tier: z, zone: q}]}
"""
    [manifest] = codec.load_manifests(text)
    metadata = codec.to_json(manifest.object)["metadata"]
    assert metadata["labels"] == {"app": "a", "tier": "b"}
    assert metadata["annotations"] == {"app": "c", "tier": "b", "tier2": "b"}
    assert codec.to_json(manifest.object)["spec"]["nodeSelector"] == {"app": "a", "tier": "b", "zone": "q"}


def _fault(text: str | bytes) -> str:
    [document] = read_documents(text)
    assert isinstance(document, Fault)
    return document.message


def test_alias_bombs_are_refused() -> None:
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert _fault("a0: &a0 x\n" + "\n".join(levels)) == f"aliases repeat more than {MAX_REPEATED_VALUES} values"


@pytest.mark.parametrize("opening", ["[", '{"a":', "- ", "{a: "])
def test_deep_documents_are_refused(opening: str) -> None:
    assert _fault(opening * 100_000) == f"nested deeper than {MAX_DEPTH}"


def test_deep_json_is_refused() -> None:
    assert _fault("[" * 1000 + "]" * 1000) == f"nested deeper than {MAX_DEPTH}"


def test_bytes_that_are_no_text() -> None:
    assert _fault(b"a: \xff") == "is neither UTF-8, nor UTF-16 with a byte order mark"


def test_huge_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollplane_machinery.codec.text.MAX_CHARACTERS", 1 << 20)
    assert _fault("a" * (1 << 20) + "\n") == "is larger than 1 MiB"


def test_a_large_file_is_read() -> None:
    """A list of a thousand objects, as `kubectl get -o json` writes it, in one go."""
    items = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{i}"}} for i in range(1000)]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=4)
    manifests = codec.load_manifests(text)
    assert len(manifests) == 1000
    assert [manifest.line for manifest in manifests[:3]] == [5, 12, 19]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_a_byte_order_mark_tells_the_encoding(encoding: str) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {greeting: grüße}\n"
    endian = encoding.removesuffix("-bom")
    data = f"\ufeff{text}".encode(endian) if endian != encoding else text.encode(encoding)
    (manifest,) = codec.load_manifests(data)
    assert manifest.written["data"] == {"greeting": "grüße"}


def test_a_byte_order_mark_may_begin_any_document() -> None:
    one = "\ufeffapiVersion: v1\nkind: Namespace\nmetadata: {name: NAME}\n"
    text = f"{one.replace('NAME', 'a')}---\n{one.replace('NAME', 'b')}\ufeff---\n{one.replace('NAME', 'c')}"
    assert [manifest.object.metadata.name for manifest in codec.load_manifests(text)] == ["a", "b", "c"]


def test_what_was_written_is_kept_with_nulls_and_empty_objects() -> None:
    (manifest,) = codec.load_manifests("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {}}, data: null}")
    assert manifest.written == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "labels": {}},
        "data": None,
    }


def test_what_was_written_in_an_older_version_is_told_in_the_present_one() -> None:
    old = "{apiVersion: apps/v1beta2, kind: ReplicaSet, metadata: {name: a, namespace: null}, spec: {replicas: 1}}"
    (manifest,) = codec.load_manifests(old)
    assert (manifest.written["apiVersion"], manifest.written["metadata"]) == ("apps/v1", {"name": "a"})
