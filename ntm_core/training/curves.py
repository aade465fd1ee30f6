"""Learning curves of runs, as a table and as a picture: what is measured against the sequences trained on.

Runs that differ in seed alone can be one curve, their median with their range, as on the page: at each number of
sequences at which one of them was measured, over what each was last found to be. So a run that is finished counts on
with its last measurement, and the curve does not jump there; any other counts as far as it has been measured.
"""

import csv
import io
import json
import math
import textwrap
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from pydantic import ValidationError

from ntm_core.config import describe_validation_error
from ntm_core.errors import TrainingError
from ntm_core.training.metrics import MetricRow, saved_rows
from ntm_core.training.plan import Plan
from ntm_core.training.session import METRICS

_COLUMNS = ("iteration", "sequences", "loss_bits", "wrong_bits", "metric", "seconds", "cpu_seconds")
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2")
_DASHES = ("", ' stroke-dasharray="6 3"', ' stroke-dasharray="2 3"')
"""Of the lines, once the colours have been used up, and once more."""

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 420, 70, 20, 20, 50

_FONT = 'font-family="sans-serif" font-size="12"'

_LEGEND_LINE = 16
"""Height of a line of the legend, which stands below the plot, for what tells kinds apart may be long."""

_LEGEND_LETTERS = 100
"""As many fit into a line."""


@dataclass(frozen=True)
class Curve:
    """The measurements of one run, by the name of its directory."""

    name: str
    rows: tuple[MetricRow, ...]


class Measured(NamedTuple):
    """A run with what it was planned to be, and whether it is finished."""

    plan: Plan
    curve: Curve
    finished: bool


class Point(NamedTuple):
    """The loss of some runs in bits, after so many sequences: how many had been measured, and what was found."""

    sequences: int
    runs: int
    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Spread:
    """The median and the range of runs that differ in seed alone, by what they are."""

    name: str
    points: tuple[Point, ...]


def read_curve(directory: Path) -> Curve:
    """The curve of the run in the directory. TrainingError if there is none, or not of this version."""
    path = directory / METRICS
    try:
        return Curve(directory.resolve().name, saved_rows(path))
    except OSError as error:
        raise TrainingError(f"{directory} holds no run: {METRICS} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TrainingError(f"{path} is not text: {error.reason} at byte {error.start}") from None
    except ValidationError as error:
        raise TrainingError(f"{path} is not one of this version: {describe_validation_error(error)}") from None


def curves_csv(curves: Sequence[Curve]) -> str:
    """One line for each measurement, with the run's name before it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("run", *_COLUMNS))
    for curve in curves:
        writer.writerows((curve.name, *(getattr(row, name) for name in _COLUMNS)) for row in curve.rows)
    return text.getvalue()


def spreads(runs: Sequence[Measured]) -> list[Spread]:
    """One for each kind of run, in the order of their first."""
    kinds: dict[str, list[Measured]] = {}
    for run in runs:
        kinds.setdefault(json.dumps(_settings(run.plan)), []).append(run)
    names = _names([[run.plan for run in same] for same in kinds.values()])
    return [Spread(name, _points(same)) for name, same in zip(names, kinds.values(), strict=True)]


def spreads_csv(found: Sequence[Spread]) -> str:
    """One line for each number of sequences, with the runs' name before it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("runs", "sequences", "measured", "loss_bits_low", "loss_bits_median", "loss_bits_high"))
    for spread in found:
        writer.writerows((spread.name, *point) for point in spread.points)
    return text.getvalue()


def curves_svg(curves: Sequence[Curve]) -> str:
    """The loss in bits for each sequence, from 0, against thousands of sequences: a line for each run, as an SVG."""
    return spreads_svg([Spread(curve.name, tuple(map(_point, curve.rows))) for curve in curves])


def spreads_svg(found: Sequence[Spread]) -> str:
    """The same with a line for each median, on the range of its runs."""
    most = max((point.sequences for spread in found for point in spread.points), default=0) or 1
    highest = max((point.high for spread in found for point in spread.points), default=0.0) or 1.0
    across, up = _ticks(most / 1000), _ticks(highest)
    legend = [textwrap.wrap(spread.name, _LEGEND_LETTERS) for spread in found]
    height, below = _HEIGHT + _LEGEND_LINE * sum(map(len, legend)) + 8, _HEIGHT + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" {_FONT}>',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        *(_tick(_x(tick, across[-1]), _y(0, 1) + 18, "middle", tick) for tick in across),
        *(_tick(_LEFT - 8, _y(tick, up[-1]) + 4, "end", tick) for tick in up),
        _label(f"{(_LEFT + _WIDTH - _RIGHT) / 2:g}", f"{_HEIGHT - 10}", "", "sequences (thousands)"),
        _label("16", f"{_HEIGHT / 2:g}", f' transform="rotate(-90 16 {_HEIGHT / 2:g})"', "loss (bits per sequence)"),
    ]
    for index, spread in enumerate(found):
        colour = _COLOURS[index % len(_COLOURS)]
        low, middle, high = (
            [
                f"{_x(point.sequences / 1000, across[-1]):.1f},{_y(getattr(point, name), up[-1]):.1f}"
                for point in spread.points
            ]
            for name in ("low", "median", "high")
        )
        if low != high:
            parts.append(f'<polygon fill="{colour}" fill-opacity="0.2" points="{" ".join([*low, *high[::-1]])}"/>')
        dashes = _DASHES[index // len(_COLOURS) % len(_DASHES)]
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="1.5"{dashes} points="{" ".join(middle)}"/>'
        )
        parts.append(f'<path d="M10 {below}h24" stroke="{colour}" stroke-width="1.5"{dashes}/>')
        for line in legend[index]:
            parts.append(f'<text x="40" y="{below + 4}" font-size="11" fill="#444">{escape(line)}</text>')
            below += _LEGEND_LINE
    return "\n".join([*parts, "</svg>", ""])


def _settings(plan: Plan) -> dict[str, Any]:
    """What two plans share if they differ in seed alone, and in when to stop, by name."""
    sizes, end = {"input_size", "output_size"}, {"max_iterations"}
    return {
        **plan.task.model_dump(mode="json"),
        **plan.config.model_dump(mode="json", exclude=sizes),  # they follow from the task
        **plan.recipe.model_dump(mode="json", exclude=end),
        "memory": plan.memory,
    }


def _names(kinds: Sequence[Sequence[Plan]]) -> list[str]:
    """What the runs of each kind are called: by task and controller, and by what sets kinds apart that share these."""
    alike: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for plans in kinds:
        alike[_base(plans[0])].append(_settings(plans[0]))
    return [", ".join([_base(plans[0]), *_apart(plans[0], alike[_base(plans[0])]), _seeds(plans)]) for plans in kinds]


def _base(plan: Plan) -> str:
    return f"{plan.task.name}, {plan.config.controller if plan.memory else 'no memory'}"


def _apart(plan: Plan, others: Sequence[dict[str, Any]]) -> list[str]:
    """The settings of a plan that not all of the others have."""
    mine = _settings(plan)
    different = (name for name, value in mine.items() if any(other[name] != value for other in others))
    return [f"{name.replace('_', ' ')} {_written(mine[name])}" for name in different]


def _written(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else json.dumps(value)


def _seeds(plans: Sequence[Plan]) -> str:
    count = len({plan.seed for plan in plans})
    return f"{count} seeds" if count > 1 else f"seed {plans[0].seed}"


def _points(runs: Sequence[Measured]) -> tuple[Point, ...]:
    """The points of runs of one kind, by sequences."""
    ends = [math.inf if run.finished else max((row.sequences for row in run.curve.rows), default=0) for run in runs]
    measured = [{row.sequences: row.loss_bits for row in run.curve.rows} for run in runs]
    last: dict[int, float] = {}
    points = []
    for sequences in sorted(set().union(*measured)):
        last.update({run: found[sequences] for run, found in enumerate(measured) if sequences in found})
        values = [loss for run, loss in last.items() if sequences <= ends[run]]
        points.append(Point(sequences, len(values), min(values), median(values), max(values)))
    return tuple(points)


def _point(row: MetricRow) -> Point:
    """The point of a run alone."""
    return Point(row.sequences, 1, row.loss_bits, row.loss_bits, row.loss_bits)


def _ticks(most: float) -> list[float]:
    """About five round numbers from 0 on, the last of them at least `most`."""
    rough = most / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    return [step * index for index in range(math.ceil(most / step - 1e-9) + 1)]


def _x(value: float, most: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * value / most


def _y(value: float, most: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / most


def _tick(x: float, y: float, anchor: str, value: float) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#444">{value:g}</text>'


def _label(x: str, y: str, more: str, text: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="middle"{more}>{text}</text>'
