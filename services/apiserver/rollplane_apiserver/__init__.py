"""The apiserver: store, registry, watch, core and its gRPC face."""
