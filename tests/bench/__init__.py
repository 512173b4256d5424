"""Benchmarks: each module's ``main()`` prints rows of ``name  value unit``; `make bench` runs them all."""
