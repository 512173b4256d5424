"""A load test's report as a person reads it."""

from __future__ import annotations

from rollplane_load.rollover import Report


def table(report: Report) -> str:
    """Return the report as a person reads it."""
    rows = [
        ("deployments x replicas", f"{report.deployments} x {report.replicas}"),
        ("create, all available", f"{report.create_seconds:.2f} s   {report.pods_per_second:.0f} pods/s"),
        ("rollover v1-v2-v3", f"{report.rollover_seconds:.2f} s"),
        ("one rollout to v3", f"P50 {report.rollout_p50_seconds:.2f} s   P99 {report.rollout_p99_seconds:.2f} s"),
        ("set image", f"P50 {report.write_p50_seconds * 1e3:.1f} ms   P99 {report.write_p99_seconds * 1e3:.1f} ms"),
    ]
    for name, seconds in report.cpu_seconds.items():
        rows.append((name, f"{seconds:.2f} CPU s   {report.peak_mib[name]:.0f} MiB at most"))
    rows.append(("invariant violations", str(len(report.invariant_violations))))
    lines = [f"{name:<24}{value}" for name, value in rows]
    return "\n".join([*lines, *report.invariant_violations])
