"""Generated messages of rollplane.authentication.v1; see the .proto files beside this one."""

from rollplane.authentication.v1.authentication_pb2 import (
    BoundObjectReference as BoundObjectReference,
    ExtraValue as ExtraValue,
    SelfSubjectReview as SelfSubjectReview,
    SelfSubjectReviewStatus as SelfSubjectReviewStatus,
    TokenRequest as TokenRequest,
    TokenRequestSpec as TokenRequestSpec,
    TokenRequestStatus as TokenRequestStatus,
    TokenReview as TokenReview,
    TokenReviewSpec as TokenReviewSpec,
    TokenReviewStatus as TokenReviewStatus,
    UserInfo as UserInfo,
)
