"""The Kubernetes REST API over any ``Api``: what kubectl, Helm and client libraries speak."""
