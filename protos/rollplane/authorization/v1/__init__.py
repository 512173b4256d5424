"""Generated messages of rollplane.authorization.v1; see the .proto files beside this one."""

from rollplane.authorization.v1.authorization_pb2 import (
    FieldSelectorAttributes as FieldSelectorAttributes,
    LabelSelectorAttributes as LabelSelectorAttributes,
    LocalSubjectAccessReview as LocalSubjectAccessReview,
    NonResourceAttributes as NonResourceAttributes,
    NonResourceRule as NonResourceRule,
    ResourceAttributes as ResourceAttributes,
    ResourceRule as ResourceRule,
    SelfSubjectAccessReview as SelfSubjectAccessReview,
    SelfSubjectAccessReviewSpec as SelfSubjectAccessReviewSpec,
    SelfSubjectRulesReview as SelfSubjectRulesReview,
    SelfSubjectRulesReviewSpec as SelfSubjectRulesReviewSpec,
    SubjectAccessReview as SubjectAccessReview,
    SubjectAccessReviewSpec as SubjectAccessReviewSpec,
    SubjectAccessReviewStatus as SubjectAccessReviewStatus,
    SubjectRulesReviewStatus as SubjectRulesReviewStatus,
)
