"""What kubectl knows and this command does not, so that whoever asks for it hears where it is."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

FORMATS = frozenset(
    {
        *("jsonpath", "jsonpath-as-json", "jsonpath-file", "custom-columns", "custom-columns-file"),
        *("go-template", "go-template-file", "template", "templatefile"),
    }
)
"""Values of ``-o``, without what stands behind their ``=``."""
FLAGS = frozenset({"chunk-size", "ignore-not-found", "prune", "raw", "show-kind", "sort-by", "template"})
"""Of commands that are here as well."""
COMMANDS = frozenset(
    {
        *(
            "annotate",
            "api-resources",
            "api-versions",
            "auth",
            "autoscale",
            "cluster-info",
            "config",
            "diff",
            "explain",
        ),
        *("expose", "label", "proxy", "replace", "run", "taint", "wait"),
        *("set env", "set resources", "set selector", "set serviceaccount", "set subject"),
    }
)
"""Commands that work against a plane."""


def hint(name: str, known: AbstractSet[str]) -> str:
    """Return the end of a refusal of ``name``: where it is if kubectl has it, else nothing."""
    return "; rollplane kubectl has it" if name in known else ""
