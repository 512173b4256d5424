"""Names from content: the hash that tells one template from another.

32-bit FNV-1a over a canonical dump, its decimal digits spelt with letters that make no words. Kubernetes does the
same; the values differ, because the dump does (docs/semantics/deployment.md section 3).
"""

from __future__ import annotations

from rollplane.core.v1 import PodTemplateSpec

SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_OFFSET_BASIS = 0x811C9DC5
_PRIME = 0x01000193


def fnv1a_32(data: bytes) -> int:
    """Return the 32-bit FNV-1a hash of ``data``."""
    value = _OFFSET_BASIS
    for byte in data:
        value = ((value ^ byte) * _PRIME) & 0xFFFFFFFF
    return value


def fnv1_32(data: bytes) -> int:
    """Return the 32-bit FNV-1 hash of ``data``, which multiplies before it mixes in."""
    value = _OFFSET_BASIS
    for byte in data:
        value = ((value * _PRIME) & 0xFFFFFFFF) ^ byte
    return value


def safe_encode(number: int) -> str:
    """Return ``number``'s decimal digits, each mapped through the alphabet by its character code."""
    return "".join(SAFE_ALPHABET[ord(digit) % len(SAFE_ALPHABET)] for digit in str(number))


def template_hash(template: PodTemplateSpec, collision_count: int | None) -> str:
    """Return the hash of a template, at most ten characters; a collision count, where there is one, is added."""
    data = template.SerializeToString(deterministic=True)
    if collision_count is not None:
        data += collision_count.to_bytes(4, "little") + bytes(4)
    return safe_encode(fnv1a_32(data))
