"""In whose name kubelets write, and how: nobody needs their objects back."""

from __future__ import annotations

from rollplane_machinery.api import WriteOptions

COMPONENT = "kubelet"
OPTIONS = WriteOptions(COMPONENT, omit_object=True)
