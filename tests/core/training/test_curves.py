import csv
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ntm_core.errors import TrainingError
from ntm_core.tasks import Copy
from ntm_core.training import Plan
from ntm_core.training.curves import (
    Curve,
    Measured,
    curves_csv,
    curves_svg,
    read_curve,
    spreads,
    spreads_csv,
    spreads_svg,
)
from ntm_core.training.metrics import MetricRow, MetricsFile
from ntm_core.training.session import METRICS
from tests.core.training.plans import row, small_plan

SVG = "{http://www.w3.org/2000/svg}"


def test_a_curve_is_what_the_run_has_measured(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    MetricsFile(tmp_path / "run" / METRICS, (row(0), row(5)))
    assert read_curve(tmp_path / "run") == Curve("run", (row(0), row(5)))


def test_half_a_line_is_left_out(tmp_path: Path) -> None:
    MetricsFile(tmp_path / METRICS, (row(0),))
    with (tmp_path / METRICS).open("a") as file:
        file.write(row(5).model_dump_json()[:20])
    assert read_curve(tmp_path).rows == (row(0),)


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nowhere holds no run"):
        read_curve(tmp_path / "nowhere")


def test_rows_of_another_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / METRICS).write_text('{"loss": 1}\n')
    with pytest.raises(TrainingError, match=r"metrics\.jsonl is not one of this version: iteration is missing"):
        read_curve(tmp_path)


def test_the_table_has_a_line_for_each_measurement() -> None:
    lines = list(csv.DictReader(curves_csv([Curve("a, b", (row(0), row(5))), Curve("c", (row(1),))]).splitlines()))
    assert [(line["run"], line["sequences"], line["loss_bits"]) for line in lines] == [
        ("a, b", "0", "1.5"),
        ("a, b", "20", "1.5"),
        ("c", "4", "1.5"),
    ]


def test_the_picture_puts_each_loss_where_its_axes_say() -> None:
    rows = tuple(row(i).model_copy(update={"loss_bits": loss}) for i, loss in ((0, 80.0), (2500, 40.0), (5000, 0.0)))
    picture = ET.fromstring(curves_svg([Curve("one & two", rows)]))  # noqa: S314  # our own text
    (line,) = picture.findall(f"{SVG}polyline")
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    # 5000 iterations are 20 000 sequences; the axes go to 20 thousand and to 80 bits.
    assert points == [(70.0, 20.0), (385.0, 195.0), (700.0, 370.0)]
    texts = {(text.text, text.attrib["x"], text.attrib["y"]) for text in picture.findall(f"{SVG}text")}
    assert {("20", "700.0", "388.0"), ("80", "62.0", "24.0"), ("one & two", "40", "432")} <= texts


def test_a_picture_of_nothing_is_a_picture() -> None:
    assert ET.fromstring(curves_svg([Curve("empty", ())])).tag == f"{SVG}svg"  # noqa: S314  # our own text


def measured(*losses: float) -> tuple[MetricRow, ...]:
    """A row every 2500 iterations, which are 10 000 sequences."""
    return tuple(row(2500 * i).model_copy(update={"loss_bits": loss}) for i, loss in enumerate(losses))


def run(plan: Plan, *losses: float, finished: bool = True) -> Measured:
    return Measured(plan, Curve("run", measured(*losses)), finished)


def test_runs_that_differ_in_seed_alone_are_one_curve() -> None:
    """Also where they were to stop elsewhere; those that are finished count on with their last measurement."""
    runs = [
        run(small_plan(seed=1), 80.0, 10.0),
        run(small_plan(seed=1, batch=2), 70.0),
        run(small_plan(seed=2), 60.0, 30.0),
        run(small_plan(seed=3, max_iterations=99), 40.0, 20.0, 25.0),
    ]
    assert list(csv.reader(spreads_csv(spreads(runs)).splitlines()))[1:] == [
        ["copy, lstm, batch 1, 3 seeds", "0", "3", "40.0", "60.0", "80.0"],
        ["copy, lstm, batch 1, 3 seeds", "10000", "3", "10.0", "20.0", "30.0"],
        ["copy, lstm, batch 1, 3 seeds", "20000", "3", "10.0", "25.0", "30.0"],
        ["copy, lstm, batch 2, seed 1", "0", "1", "70.0", "70.0", "70.0"],
    ]


def test_a_run_that_is_not_finished_counts_as_far_as_it_has_been_measured() -> None:
    """It says nothing of what it will be: beyond, the median is over the others."""
    runs = [run(small_plan(seed=1), 80.0, 40.0, 0.0), run(small_plan(seed=2), 60.0, 50.0, finished=False)]
    points = [(point.sequences, point.runs, point.low, point.high) for point in spreads(runs)[0].points]
    assert points == [(0, 2, 60.0, 80.0), (10000, 2, 40.0, 50.0), (20000, 1, 0.0, 0.0)]
    assert spreads([run(small_plan(), finished=False)])[0].points == ()


def test_kinds_that_share_task_and_controller_are_told_apart_by_what_differs() -> None:
    """Each by all settings that are not the same in all of them; the sizes that follow from the task are none."""
    kinds = [
        small_plan(config={"initial_memory": "learned"}),
        small_plan(config={"initial_memory": "constant", "clip": None}),
        small_plan(Copy(bits=3, lengths=(1, 2)), config={"initial_memory": "constant"}),
        small_plan(config={"controller": "gru"}),
    ]
    assert [spread.name for spread in spreads([run(kind, 1.0) for kind in kinds])] == [
        "copy, lstm, bits 2, initial memory learned, clip 20, seed 0",
        "copy, lstm, bits 2, initial memory constant, clip null, seed 0",
        "copy, lstm, bits 3, initial memory constant, clip 20, seed 0",
        "copy, gru, seed 0",
    ]


def test_lines_beyond_the_last_colour_are_dashed() -> None:
    picture = ET.fromstring(curves_svg([Curve(f"{n}", measured(80.0, 10.0)) for n in range(9)]))  # noqa: S314
    lines = [(line.attrib["stroke"], line.attrib.get("stroke-dasharray")) for line in picture.iter(f"{SVG}polyline")]
    assert len(set(lines)) == 9
    assert lines[0][0] == lines[8][0]


def test_a_median_is_drawn_on_the_range_of_its_runs() -> None:
    runs = [run(small_plan(seed=seed), loss, 0.0, 0.0) for seed, loss in ((1, 80.0), (2, 0.0))]
    picture = ET.fromstring(spreads_svg(spreads(runs)))  # noqa: S314  # our own text
    (line,), (area,) = picture.findall(f"{SVG}polyline"), picture.findall(f"{SVG}polygon")
    assert line.attrib["points"] == "70.0,195.0 385.0,370.0 700.0,370.0"
    assert area.attrib["points"] == "70.0,370.0 385.0,370.0 700.0,370.0 700.0,370.0 385.0,370.0 70.0,20.0"


def test_a_run_alone_has_no_range() -> None:
    assert "polygon" not in curves_svg([Curve("one", measured(80.0, 10.0))])
