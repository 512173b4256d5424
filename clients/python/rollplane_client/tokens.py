"""The tokens of a client's writes: each write has one of its own, and keeps it however often it is sent.

A token is answered by the server with what became of its first sending (docs/api.md), which is what makes every
write repeatable.
"""

from __future__ import annotations

import itertools
import os
from base64 import urlsafe_b64encode
from dataclasses import replace

from rollplane_machinery.api import TOKEN_SECONDS, Create, Update, UpdateStatus, Write, WriteOptions, WriteToken

REPEAT_SECONDS = TOKEN_SECONDS / 2
"""How long a write is repeated that may have been made: half the time that the store answers its token for.

After that what became of it is for the object to tell. The other half is for what is still on its way.
"""


class Tokens:
    """Hands out tokens of one writer, each once.

    ``writer`` must be unique to one life of one process, whatever seeds it was started with: a second life with the
    same name would be answered with the outcomes of the first. Left out it is 128 random bits, in
    22 characters: every write bears them, and the store keeps them.
    """

    def __init__(self, writer: str = "") -> None:
        self._writer = writer or urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
        self._sequence = itertools.count(1)

    def stamp(self, options: WriteOptions) -> WriteOptions:
        """Return ``options`` with a token, unless they have one or need none.

        A dry run needs none, which stores nothing, nor what is harmless twice.
        """
        if options.token is not None or options.dry_run or options.harmless_twice:
            return options
        token = WriteToken(self._writer, next(self._sequence))
        return WriteOptions(
            options.field_manager,
            False,
            options.fence,
            options.omit_object,
            token,
            False,
            options.track_fields,
            options.field_validation,
        )

    def stamped(self, write: Write) -> Write:
        """Return ``write`` with a token."""
        options = write.options
        if options.token is not None:
            return write  # as whatever comes from a batch writer
        return _under(self.stamp(options), write)


def repeat_of(options: WriteOptions) -> WriteOptions:
    """Return the options of a further sending; a dry run is not told apart from its first."""
    return options if options.token is None or options.repeat else replace(options, repeat=True)


def repeated(write: Write) -> Write:
    """Return ``write`` as a further sending: the same token, bytes and group."""
    options = repeat_of(write.options)
    return _under(options, write)


def _under(options: WriteOptions, write: Write) -> Write:
    """Return ``write`` with ``options``; the writes that controllers live on in a third of ``replace``'s time."""
    if options is write.options:
        return write
    if isinstance(write, (Create, Update, UpdateStatus)):
        return type(write)(write.object, options, write.group)
    return replace(write, options=options)
