"""Talking to the control plane: the Api over gRPC, informer, work queue, batch writer, leases."""
