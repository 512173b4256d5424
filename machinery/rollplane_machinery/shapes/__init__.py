"""Shapes: what Kubernetes' messages of kinds that are kept as JSON look like, so that their JSON and protobuf is read.

``facts.json`` is generated (``protos/shapes.py``), ``building`` makes descriptors of it when one is asked for,
``shapes`` says which kind has which.
"""
