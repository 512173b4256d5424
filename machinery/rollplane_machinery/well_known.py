"""Names that Kubernetes gives a meaning, where more than one room goes by it: labels, annotations, finalizers."""

from __future__ import annotations

CHANGE_CAUSE = "kubernetes.io/change-cause"
"""Annotation of a workload and its history: why the revision was made."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Annotation in which ``apply`` remembers what it was given."""

REVISION_LABEL = "controller-revision-hash"
"""Label of the pods of StatefulSets and DaemonSets: which ControllerRevision they are of."""
GENERATION_LABEL = "pod-template-generation"
"""Label of a DaemonSet's pods: which of its templates they are of."""
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
"""Annotation in which apps/v1 keeps how often a DaemonSet's template has changed."""

FOREGROUND = "foregroundDeletion"
"""Finalizer: the object waits until its dependents that block it are gone."""
ORPHAN = "orphan"
"""Finalizer: the object waits until its dependents have let go of it."""
HEADLESS = "None"
"""The cluster IP of a Service without one."""
