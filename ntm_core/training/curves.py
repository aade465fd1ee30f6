"""Learning curves of runs, as a table and as a picture: what is measured against the sequences trained on.

Runs that differ in seed alone can be one curve, their median with their range, as on the page: at each number of
sequences at which one of them was measured, over what each was last found to be. So a run that has ended counts on
with its last measurement, and the curve does not jump there.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple
from xml.sax.saxutils import escape

from pydantic import ValidationError

from ntm_core.config import describe_validation_error
from ntm_core.errors import TrainingError
from ntm_core.training.metrics import MetricRow, saved_rows
from ntm_core.training.plan import Plan
from ntm_core.training.session import METRICS

_COLUMNS = ("iteration", "sequences", "loss_bits", "wrong_bits", "metric", "seconds", "cpu_seconds")
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2")
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 420, 70, 20, 20, 50

_OPENING = (
    f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" '
    'font-size="12">'
)


@dataclass(frozen=True)
class Curve:
    """The measurements of one run, by the name of its directory."""

    name: str
    rows: tuple[MetricRow, ...]


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


def spreads(runs: Sequence[tuple[Plan, Curve]]) -> list[Spread]:
    """One for each kind of run, in the order of their first."""
    kinds: dict[str, list[tuple[Plan, Curve]]] = {}
    for plan, curve in runs:
        kinds.setdefault(_kind(plan), []).append((plan, curve))
    return [
        Spread(_named([plan for plan, _ in same]), _points([curve for _, curve in same])) for same in kinds.values()
    ]


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
    return spreads_svg([Spread(curve.name, _points([curve])) for curve in curves])


def spreads_svg(found: Sequence[Spread]) -> str:
    """The same with a line for each median, on the range of its runs."""
    most = max((point.sequences for spread in found for point in spread.points), default=0) or 1
    highest = max((point.high for spread in found for point in spread.points), default=0.0) or 1.0
    across, up = _ticks(most / 1000), _ticks(highest)
    parts = [
        _OPENING,
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
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
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{" ".join(middle)}"/>')
        parts.append(
            f'<text x="{_WIDTH - _RIGHT}" y="{_TOP + 16 * (index + 1)}" text-anchor="end" fill="{colour}">'
            f"{escape(spread.name)}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])


def _kind(plan: Plan) -> str:
    """What two plans share if they differ in seed alone, and in when to stop."""
    recipe = plan.recipe.model_copy(update={"max_iterations": 1})
    return plan.model_copy(update={"seed": 0, "recipe": recipe}).model_dump_json()


def _named(plans: Sequence[Plan]) -> str:
    """What runs of one kind are called."""
    first = plans[0]
    count = len({plan.seed for plan in plans})
    seeds = f"{count} seeds" if count > 1 else f"seed {first.seed}"
    return f"{first.task.name}, {first.config.controller if first.memory else 'no memory'}, {seeds}"


def _points(curves: Sequence[Curve]) -> tuple[Point, ...]:
    """The points of runs of one kind, by sequences: each run with its last measurement until then."""
    measured = [{row.sequences: row.loss_bits for row in curve.rows} for curve in curves]
    last: dict[int, float] = {}
    points = []
    for sequences in sorted(set().union(*measured)):
        last.update({run: found[sequences] for run, found in enumerate(measured) if sequences in found})
        values = list(last.values())
        points.append(Point(sequences, len(values), min(values), median(values), max(values)))
    return tuple(points)


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
