"""Questions asked of a gateway in front of a core, and the tokens it gives out."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from random import Random

import pytest

from rollplane.authentication import v1 as authentication
from rollplane.authorization import v1 as authorization
from rollplane.core.v1 import Pod, Secret, ServiceAccount
from rollplane_apiserver.core import Core
from rollplane_apiserver.core.identity import ADMIN
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_gateway.virtual.accounts import Accounts
from rollplane_gateway.virtual.answers import Answers, Asked
from rollplane_gateway.virtual.callers import ADMINISTRATOR
from rollplane_gateway.virtual.signing_key import KEY, signing_key
from rollplane_gateway.virtual.tokens import ISSUER
from rollplane_machinery.api import Create, Delete, ObjectApi
from rollplane_machinery.clock import FakeClock, SystemClock
from rollplane_machinery.errors import (
    BadRequestError,
    ConflictError,
    InternalError,
    InvalidError,
    NotFoundError,
)
from rollplane_machinery.kinds import SERVICE_ACCOUNT, ApiObject, Encoded, Key
from rollplane_machinery.releases import LATEST
from rollplane_machinery.served import served

WEB = Key(SERVICE_ACCOUNT, "default", "web")


class Desk:
    """A plane, and a gateway's answers in front of it; the clock is the gateway's."""

    def __init__(self, api: ObjectApi) -> None:
        self.api = api
        self.clock = FakeClock()
        self.answers = Answers(served(LATEST), Accounts(self.clock, Random(3).randbytes))

    async def create(self, obj: ApiObject) -> str:
        """Store ``obj`` in namespace default; return its uid."""
        obj.metadata.namespace = "default"
        made = await self.api.write(Create(Encoded.of(obj)))
        assert made.object is not None
        return made.object.parse().metadata.uid

    async def token(self, request: authentication.TokenRequest | None = None) -> authentication.TokenRequest:
        asked = Asked(self.api, ADMINISTRATOR, "default", "web")
        answer = await self.answers.answer(request or authentication.TokenRequest(), asked)
        assert isinstance(answer, authentication.TokenRequest)
        return answer

    async def review(self, token: str, *audiences: str) -> authentication.TokenReviewStatus:
        review = authentication.TokenReview()
        review.spec.token = token
        review.spec.audiences.extend(audiences)
        answer = await self.answers.answer(review, Asked(self.api, ADMINISTRATOR))
        assert isinstance(answer, authentication.TokenReview)
        return answer.status


def account(name: str = "web") -> ServiceAccount:
    made = ServiceAccount()
    made.metadata.name = name
    return made


def pod(name: str, account_name: str) -> Pod:
    made = Pod()
    made.metadata.name = name
    made.spec.service_account_name = account_name
    made.spec.containers.add(name="c", image="i")
    return made


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Core(MemoryStore(), SystemClock(), randomness=Random(1)) as core:
        yield Desk(core.as_identity(ADMIN))


async def test_who_am_i(desk: Desk) -> None:
    question = authentication.SelfSubjectReview()
    answer = await desk.answers.answer(question, Asked(desk.api, ADMINISTRATOR))
    assert isinstance(answer, authentication.SelfSubjectReview)
    assert answer.status.user_info == ADMINISTRATOR.info()
    assert answer.metadata.creation_timestamp.seconds == desk.clock.now()
    assert question == authentication.SelfSubjectReview()


async def test_may_i(desk: Desk) -> None:
    asked = Asked(desk.api, ADMINISTRATOR, "default")
    review = authorization.SelfSubjectAccessReview()
    review.spec.resource_attributes.resource = "pods"
    answer = await desk.answers.answer(review, asked)
    assert isinstance(answer, authorization.SelfSubjectAccessReview)
    assert (answer.status.allowed, answer.spec) == (True, review.spec)
    for other in (authorization.SubjectAccessReview(), authorization.LocalSubjectAccessReview()):
        other.spec.user = "jane"
        other.spec.resource_attributes.resource = "gadgets"
        told = await desk.answers.answer(other, asked)
        assert isinstance(told, authorization.SubjectAccessReview | authorization.LocalSubjectAccessReview)
        assert (told.status.allowed, told.status.reason) == (False, "gadgets is not served here")


async def test_what_may_i(desk: Desk) -> None:
    review = authorization.SelfSubjectRulesReview()
    with pytest.raises(BadRequestError, match="no namespace on request"):
        await desk.answers.answer(review, Asked(desk.api, ADMINISTRATOR))
    review.spec.namespace = "default"
    answer = await desk.answers.answer(review, Asked(desk.api, ADMINISTRATOR))
    assert isinstance(answer, authorization.SelfSubjectRulesReview)
    assert list(answer.status.resource_rules[0].verbs) == ["*"]


async def test_a_token_is_a_json_web_token(desk: Desk) -> None:
    uid = await desk.create(account())
    answer = await desk.token()
    header, payload, _ = (segment + "=" * (-len(segment) % 4) for segment in answer.status.token.split("."))
    said = json.loads(base64.urlsafe_b64decode(payload))
    now = int(desk.clock.now())
    assert json.loads(base64.urlsafe_b64decode(header))["typ"] == "JWT"
    assert said.pop("jti")
    assert said == {
        "aud": [ISSUER],
        "exp": now + 3600,
        "iat": now,
        "iss": ISSUER,
        "kubernetes.io": {"namespace": "default", "serviceaccount": {"name": "web", "uid": uid}},
        "nbf": now,
        "sub": "system:serviceaccount:default:web",
    }
    assert (list(answer.spec.audiences), answer.spec.expiration_seconds) == ([ISSUER], 3600)
    assert (answer.metadata.name, answer.metadata.namespace) == ("web", "default")
    assert answer.status.expiration_timestamp.seconds == now + 3600


async def test_a_token_says_whose_it_is(desk: Desk) -> None:
    uid = await desk.create(account())
    status = await desk.review((await desk.token()).status.token)
    assert (status.authenticated, list(status.audiences), status.error) == (True, [ISSUER], "")
    assert (status.user.username, status.user.uid) == ("system:serviceaccount:default:web", uid)
    assert "system:serviceaccounts:default" in status.user.groups


async def test_audiences(desk: Desk) -> None:
    await desk.create(account())
    request = authentication.TokenRequest()
    request.spec.audiences.extend(["vault", "other"])
    token = (await desk.token(request)).status.token
    assert list((await desk.review(token, "vault", "third")).audiences) == ["vault"]
    assert (await desk.review(token)).error == "invalid bearer token: it is for vault, other"


async def test_another_gateway_reads_it(desk: Desk) -> None:
    """And so does the same one after a restart: the key is the plane's."""
    await desk.create(account())
    token = (await desk.token()).status.token
    assert (await Desk(desk.api).review(token)).authenticated


@pytest.mark.parametrize("token", ["x", "a.b.c", "é.b.c", ".."])
async def test_no_token_of_ours(desk: Desk, token: str) -> None:
    assert await desk.review(token) == authentication.TokenReviewStatus(error="invalid bearer token")


async def test_a_forged_token(desk: Desk) -> None:
    await desk.create(account())
    header, payload, signature = (await desk.token()).status.token.split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "==="))
    said["sub"] = "system:serviceaccount:kube-system:root"
    forged = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    assert not (await desk.review(f"{header}.{forged}.{signature}")).authenticated


async def test_a_token_ends(desk: Desk) -> None:
    await desk.create(account())
    request = authentication.TokenRequest()
    request.spec.expiration_seconds = 600
    token = (await desk.token(request)).status.token
    await desk.clock.advance(599.0)
    assert (await desk.review(token)).authenticated
    await desk.clock.advance(1.0)
    assert (await desk.review(token)).error == "invalid bearer token: token has expired"


async def test_a_token_ends_with_its_account(desk: Desk) -> None:
    await desk.create(account())
    token = (await desk.token()).status.token
    await desk.api.write(Delete(WEB))
    assert (await desk.review(token)).error == "serviceaccount web has been deleted"
    await desk.create(account())
    assert (await desk.review(token)).error == "serviceaccount web has been deleted and made anew"


async def test_a_token_ends_with_its_pod(desk: Desk) -> None:
    await desk.create(account())
    made = pod("p", "web")
    uid = await desk.create(made)
    request = authentication.TokenRequest()
    request.spec.bound_object_ref.kind = "Pod"
    request.spec.bound_object_ref.name = "p"
    token = (await desk.token(request)).status.token
    assert (await desk.review(token)).authenticated
    request.spec.bound_object_ref.uid = "another"
    with pytest.raises(ConflictError, match=uid):
        await desk.token(request)
    await desk.api.write(Delete(Encoded.of(made).key, grace_period_seconds=0))
    assert (await desk.review(token)).error == "pod p has been deleted"


async def test_what_a_token_cannot_be_bound_to(desk: Desk) -> None:
    await desk.create(account())
    await desk.create(pod("p", "default"))
    request = authentication.TokenRequest()
    request.spec.bound_object_ref.kind, request.spec.bound_object_ref.name = "Pod", "p"
    with pytest.raises(BadRequestError, match="different serviceaccount name"):
        await desk.token(request)
    request.spec.bound_object_ref.kind = "Secret"
    with pytest.raises(NotFoundError):
        await desk.token(request)
    request.spec.bound_object_ref.kind = "Deployment"
    with pytest.raises(BadRequestError, match="cannot bind"):
        await desk.token(request)


async def test_no_token_without_an_account(desk: Desk) -> None:
    with pytest.raises(NotFoundError, match='serviceaccounts "web" not found'):
        await desk.token()


@pytest.mark.parametrize(("seconds", "limit"), [(599, "less than 10 minutes"), (2**32 + 1, "larger than 2^32")])
async def test_how_long_a_token_may_last(desk: Desk, seconds: int, limit: str) -> None:
    await desk.create(account())
    request = authentication.TokenRequest()
    request.spec.expiration_seconds = seconds
    with pytest.raises(InvalidError, match=r"TokenRequest\.authentication\.k8s\.io") as refused:
        await desk.token(request)
    assert limit in refused.value.message


async def test_a_request_for_another_account(desk: Desk) -> None:
    await desk.create(account())
    request = authentication.TokenRequest()
    request.metadata.name = "other"
    with pytest.raises(BadRequestError, match="does not match the name on the URL"):
        await desk.token(request)
    request.metadata.name = "web"
    request.metadata.uid = "another"
    with pytest.raises(ConflictError, match="does not match the UID of the service account"):
        await desk.token(request)


async def test_a_review_without_a_token(desk: Desk) -> None:
    with pytest.raises(BadRequestError, match="token is required"):
        await desk.review("")


async def test_the_key_is_made_once(desk: Desk) -> None:
    key = await signing_key(desk.api, Random(1).randbytes)
    assert await signing_key(desk.api, Random(2).randbytes) == key


async def test_a_key_that_is_none(desk: Desk) -> None:
    empty = Secret()
    empty.metadata.name, empty.metadata.namespace = KEY.name, KEY.namespace
    await desk.api.write(Create(Encoded.of(empty)))
    with pytest.raises(InternalError, match="delete it"):
        await signing_key(desk.api, Random(1).randbytes)
