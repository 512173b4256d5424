"""Any Kubernetes as the target of a load: kubeconfig, HTTP, lists and watches."""
