"""The answer to each question: the question itself, with its status filled in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from rollplane.authentication import v1 as authentication
from rollplane.authorization import v1 as authorization
from rollplane_gateway.virtual import access
from rollplane_gateway.virtual.accounts import Accounts
from rollplane_gateway.virtual.callers import Caller
from rollplane_machinery.api import Key, ObjectApi
from rollplane_machinery.kinds import SERVICE_ACCOUNT
from rollplane_machinery.served import Served
from rollplane_machinery.times import time_of


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it came: to whose ``api``, by whom, and where; ``name`` is that of an object it is asked of."""

    api: ObjectApi
    caller: Caller
    namespace: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers what ``served`` lists without a stored kind, and the ``token`` of ServiceAccounts."""

    served: Served
    accounts: Accounts

    async def answer(self, question: Message, asked: Asked) -> Message:
        """Return the answer, of the type of ``question``, which is left as it is.

        Raises BadRequestError or InvalidError for what cannot be asked, and what the Api raises.
        """
        answer = type(question)()
        answer.CopyFrom(question)
        await _ANSWERS[type(question)](self, answer, asked)
        return answer

    async def _access(self, review: authorization.SelfSubjectAccessReview, _asked: Asked) -> None:
        access.check_self(review)
        review.status.CopyFrom(access.judge(self.served, review.spec))

    async def _subject_access(self, review: authorization.SubjectAccessReview, _asked: Asked) -> None:
        access.check_subject(review)
        review.status.CopyFrom(access.judge(self.served, review.spec))

    async def _local_access(self, review: authorization.LocalSubjectAccessReview, asked: Asked) -> None:
        access.check_local(review, asked.namespace)
        review.status.CopyFrom(access.judge(self.served, review.spec))

    async def _rules(self, review: authorization.SelfSubjectRulesReview, _asked: Asked) -> None:
        access.check_rules(review)
        review.status.CopyFrom(access.all_rules())

    async def _who(self, review: authentication.SelfSubjectReview, asked: Asked) -> None:
        review.metadata.creation_timestamp.CopyFrom(time_of(self.accounts.clock.now()))
        review.status.user_info.CopyFrom(asked.caller.info())

    async def _whose(self, review: authentication.TokenReview, asked: Asked) -> None:
        review.status.CopyFrom(await self.accounts.review(asked.api, review))

    async def _token(self, request: authentication.TokenRequest, asked: Asked) -> None:
        key = Key(SERVICE_ACCOUNT, asked.namespace, asked.name)
        request.CopyFrom(await self.accounts.give(asked.api, key, request))


_Answer = Callable[[Answers, Any, Asked], Awaitable[None]]
_ANSWERS: dict[type[Message], _Answer] = {
    authorization.SelfSubjectAccessReview: Answers._access,
    authorization.SubjectAccessReview: Answers._subject_access,
    authorization.LocalSubjectAccessReview: Answers._local_access,
    authorization.SelfSubjectRulesReview: Answers._rules,
    authentication.SelfSubjectReview: Answers._who,
    authentication.TokenReview: Answers._whose,
    authentication.TokenRequest: Answers._token,
}
