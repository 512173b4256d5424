"""A result as one HTML page: what it came to, its course over time, its distributions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rollplane_load.report_text import told
from rollplane_load.results import Json, has_failed
from rollplane_load.statistics import PARTS, spread_of
from rollplane_page.document import measurements_document
from rollplane_page.measured import Chart, Line, Measurements, Part, Table
from rollplane_page.recording import Figure, Tone, Verdict

PERCENTS = tuple(part * 100 for part in PARTS)
_COLUMNS = ("Count", "Mean", "P50", "P90", "P99", "Most")


def page_of(document: Json) -> str:
    """Return the page, which needs no network."""
    return measurements_document(measurements_of(document))


def measurements_of(document: Json) -> Measurements:
    """Return what the page shows of a result."""
    scenario, runs = document["scenario"], document["runs"]
    return Measurements(
        f"{scenario['name']} on {' '.join(filter(None, document['target'].values()))}",
        _verdict(runs),
        list(_notes(document)),
        list(_figures(runs)),
        [_part(f"Run {number}" if len(runs) > 1 else "The run", run) for number, run in enumerate(runs, 1)],
    )


def _verdict(runs: list[Json]) -> Verdict:
    if not any(map(has_failed, runs)):
        return Verdict(Tone.GOOD, "Every rollout was finished, and no invariant was broken.")
    broken = [each for run in runs for each in run["invariant_violations"]]
    unfinished = sum(run["unfinished"] for run in runs)
    sentence = f"{len(broken)} invariant violations, {unfinished} unfinished."
    return Verdict(Tone.BAD, sentence, " ".join(broken[:3]))


def _notes(document: Json) -> Iterator[str]:
    scenario, machine = document["scenario"], document["machine"]
    loads = ", ".join(
        f"{each['count']} {each['kind']}s" + ("" if each["kind"] == "DaemonSet" else f" of {each['replicas']}")
        for each in scenario["workloads"]
    )
    faster = f", {scenario['compress']:g} times as fast" if scenario["compress"] != 1 else ""
    yield f"{loads}; seed {scenario['seed']}{faster}."
    yield (
        f"{document['began']}, load tester on {machine['cpus']} CPUs ({machine['cpu']}), {machine['memory_gib']} GiB, "
        f"{machine['system']}, Python {machine['python']}, Rollplane {machine['rollplane']}."
    )


def _figures(runs: list[Json]) -> Iterator[Figure]:
    """Of several runs the median and the ends."""
    for number, phase in enumerate(runs[0]["phases"]):
        yield Figure(f"{phase['name']}, s", _spread(run["phases"][number]["seconds"] for run in runs))
    for label, name in (
        ("CPU of a pod's life, ms", "cpu_ms_per_pod_life"),
        ("Changes in a pod's life", "changes_per_pod_life"),
        ("Events in a pod's life", "events_per_pod_life"),
    ):
        values = [run[name] for run in runs if run[name] is not None]
        if values:
            yield Figure(label, _spread(values))
    yield Figure("Watch lag, P99, ms", _spread(run["watch_lag"]["p99"] * 1e3 for run in runs))
    errors = sum(sum(run["errors"].values()) for run in runs)
    yield Figure("Errors", str(errors), Tone.BAD if errors else Tone.PLAIN)


def _spread(values: Iterable[float]) -> str:
    spread = spread_of(list(values))
    return (
        f"{spread.median:.3g}" if spread.runs == 1 else f"{spread.median:.3g} ({spread.low:.3g} to {spread.high:.3g})"
    )


def _part(title: str, run: Json) -> Part:
    return Part(title, (), list(_charts(run)), list(_tables(run)))


def _charts(run: Json) -> Iterator[Chart]:
    series, marks = run["series"], [(at, label) for at, label in run["marks"]]

    def over_time(title: str, unit: str, *lines: Line) -> Chart:
        return Chart(title, series["at"], lines, unit=unit, marks=marks)

    yield over_time("Rollouts in flight", "", Line("in flight", series["in_flight"]))
    yield over_time("Pods", "", Line("available", series["available"]), Line("wanted", series["desired"]))
    made = Line("pods made", series["pods_made"])
    yield over_time("Writes a second, as the watch shows them", "", Line("changes", series["changes"]), made)
    yield over_time("Longest watch lag", "s", Line("watch lag", series["lag"]))
    yield over_time("CPU", "cores", *(Line(name, values) for name, values in series["cores"].items()))
    yield over_time("Memory", "MiB", *(Line(name, values) for name, values in series["mib"].items()))
    yield _distribution("Rollouts, by percentile", [(each["action"], each) for each in _of_actions(run["rollouts"])])
    calls = [(each["verb"], each) for each in [*run["verbs"], {"verb": "watch lag", **run["watch_lag"]}]]
    yield _distribution("Calls and watch lag, by percentile", calls)


def _distribution(title: str, rows: list[tuple[str, Json]]) -> Chart:
    lines = [Line(name, [value or None for value in row["quantiles"]]) for name, row in rows if row["count"]]
    return Chart(title, PERCENTS, lines, across="%", unit="s", log=True)


def _of_actions(rows: list[Json]) -> Iterator[Json]:
    """Yield a row for each action: of several kinds, that of all together, which comes first."""
    seen = set()
    for row in rows:
        if row["action"] not in seen:
            yield row
        seen.add(row["action"])


def _name(row: Json) -> str:
    return f"{row['action']} {row['kind']}".strip() if row["kind"] else f"{row['action']}, all kinds"


def _tables(run: Json) -> Iterator[Table]:
    yield Table(
        "Phases",
        ("Phase", "Took", "Rollouts", "Pods made", "Changes", "CPU"),
        [
            (
                each["name"],
                told(each["seconds"]),
                str(each["rollouts"]),
                str(each["pods_made"]),
                str(each["changes"]),
                f"{sum(each['cpu_seconds'].values()):.2f} s",
            )
            for each in run["phases"]
        ],
    )
    yield Table("Rollouts", ("Action", *_COLUMNS), [_row(_name(each), each) for each in run["rollouts"]])
    calls = [*run["verbs"], {"verb": "watch lag", **run["watch_lag"]}]
    yield Table("Calls", ("Call", *_COLUMNS), [_row(each["verb"], each) for each in calls])
    cpu = [
        (name, f"{seconds:.2f} s", f"{run['peak_mib'].get(name, 0.0):.0f} MiB")
        for name, seconds in run["cpu_seconds"].items()
    ]
    yield Table("Processes", ("Process", "CPU", "Most memory"), cpu)
    waits = [
        (
            f"{each['what']} {each['name']}".strip(),
            each["service"],
            str(each["count"]),
            *(told(each[name]) for name in ("mean", "p50", "p99")),
        )
        for each in run["waits"]
    ]
    yield Table(
        "Waits inside of services, by their own figures", ("What", "Of", "Count", "Mean", "P50 ≤", "P99 ≤"), waits
    )


def _row(name: str, row: Json) -> tuple[str, ...]:
    return name, str(row["count"]), *(told(row[part]) for part in ("mean", "p50", "p90", "p99", "max"))
