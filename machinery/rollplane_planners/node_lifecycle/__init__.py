"""What becomes of nodes that fall silent, and of their pods (docs/semantics/pod-lifecycle.md section 9).

``health`` tells who is silent, ``conditions`` and ``taints`` what the Node object then says, ``zones`` how fast the
NoExecute taints may follow each other, ``evictions`` which pods those taints drive away, and when.

Source: kubernetes/kubernetes pkg/controller/nodelifecycle and pkg/controller/tainteviction.
"""
