"""Defaults of Secrets."""

from __future__ import annotations

from rollplane.core import v1 as core


def default_secret(secret: core.Secret) -> None:
    """Fill in the type of ``secret`` and fold ``stringData``, which is for writing only, into ``data``; in place."""
    if not secret.type:
        secret.type = "Opaque"
    for key, text in secret.string_data.items():
        secret.data[key] = text.encode()
    secret.ClearField("string_data")
