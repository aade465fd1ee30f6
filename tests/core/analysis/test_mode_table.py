"""The table of modes, held against the evaluation and against one run at a time."""

import re
from pathlib import Path

import torch

from ntm_core.analysis.mode_table import markdown, mode_rows
from ntm_core.evaluation import measured_episodes
from ntm_core.hand_compiled import hand_compiled_copy
from ntm_core.interventions import MODES, Editor, allow
from ntm_core.tasks import Copy

TASK = Copy(bits=2)
MACHINE = hand_compiled_copy(2, 16)


def test_each_cell_is_that_of_one_sequence_at_a_time() -> None:
    rows = list(mode_rows(MACHINE, TASK, (2,), 3, 7))
    assert [row.mode for row in rows] == list(MODES)
    for row in rows:
        for length, spread in zip((2,), row.wrong_bits, strict=True):
            (episode,) = measured_episodes(TASK, length, 3, 7)
            wrong = []
            for index in range(3):
                one = episode.one(index)
                editor = Editor(MACHINE.config, MODES[row.mode].interventions, on_violation=allow)
                results = MACHINE.run(torch.from_numpy(one.inputs), MACHINE.initial_state(1, 0), editor)
                outputs = torch.stack([result.outputs for result in results])
                wrong.append(float(TASK.wrong_bits(one, outputs.numpy())[0]))
            assert (spread.lowest, spread.median, spread.highest) == tuple(sorted(wrong))


def test_the_table_is_markdown() -> None:
    rows = mode_rows(MACHINE, TASK, (4, 12), 20, modes=("full", "no_read"))
    header, rule, full, no_read = markdown((4, 12), rows)
    assert (header, rule) == ("| mode | what is changed | 4 | 12 |", "|---|---|---|---|")
    assert full == "| Full | nothing | 0 | 0 |"
    assert no_read.startswith("| No read | r_t = 0 | 4 (")


def test_the_readme_names_every_mode_and_what_it_changes_as_the_command_does() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    table = re.search(r"^\| mode \| what is changed \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", readme, re.MULTILINE)
    assert table
    shown = [[cell.strip() for cell in line.split("|")[1:3]] for line in table[1].splitlines()]
    assert shown == [[mode.title, mode.equation or "nothing"] for mode in MODES.values()]
