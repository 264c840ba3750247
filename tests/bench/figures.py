"""What was measured, as a table for people and as JSON for comparisons."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from simulator.percentiles import percentile


@dataclass(frozen=True)
class Figure:
    """One number. `target` is DESIGN's, as text: a figure never fails a run."""

    name: str
    value: float
    unit: str
    target: str = ""

    @property
    def text(self) -> str:
        digits = 0 if self.unit in ("bytes", "") or self.value >= 1000 else 1 if self.value >= 100 else 2
        return f"{self.value:,.{digits}f}".replace(",", " ")


def percentiles(name: str, seconds: Sequence[float], targets: dict[int, str] | None = None) -> list[Figure]:
    """p50 and p99 in milliseconds."""
    return [
        Figure(f"{name}, p{percent}", percentile(seconds, percent) * 1000, "ms", (targets or {}).get(percent, ""))
        for percent in (50, 99)
    ]


def table(figures: Sequence[Figure]) -> str:
    width = max(len(figure.name) for figure in figures)
    lines = [f"{'':{width}}  {'measured':>10} {'':13}  target"]
    lines += [f"{figure.name:{width}}  {figure.text:>10} {figure.unit:13}  {figure.target}" for figure in figures]
    return "\n".join(line.rstrip() for line in lines)


def as_json(figures: Sequence[Figure], *, broker: str) -> str:
    """The figures and the kind of machine they are from; nothing that names the machine."""
    return json.dumps(
        {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.system(),
            "broker": broker,
            "figures": [asdict(figure) for figure in figures],
        },
        indent=2,
    )
