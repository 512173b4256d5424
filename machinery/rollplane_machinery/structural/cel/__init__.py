"""Rules of schemas (x-kubernetes-validations): compiled with Google's CEL, with the functions Kubernetes adds."""
