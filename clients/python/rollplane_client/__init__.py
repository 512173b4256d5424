"""Talking to the API: the gRPC Api, batch writer, informer, work queue, leases."""
