"""Wrong bits of one machine in every addressing mode, by length: a table."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch

from ntm_core.analysis.spread import Spread
from ntm_core.evaluation import EVALUATION_SEED, measured_episodes, require_fitting, scores
from ntm_core.interventions import MODES, Editor, ModeName, allow
from ntm_core.machine import Machine
from ntm_core.tasks import Episode, TaskBase


@dataclass(frozen=True)
class ModeRow:
    """Wrong bits in one mode, a spread for each length."""

    mode: ModeName
    title: str
    wrong_bits: tuple[Spread, ...]


def mode_rows(
    machine: Machine,
    task: TaskBase,
    lengths: Sequence[int],
    sequences: int = 100,
    seed: int = EVALUATION_SEED,
    modes: Iterable[ModeName] = tuple(MODES),
) -> Iterator[ModeRow]:
    """The row of each mode, as soon as it is measured, on the sequences of `ntm_core.evaluation`.

    TaskError if a length or the number of sequences is out of bounds, or if the machine cannot do the task.
    """
    require_fitting(machine.config, task)
    episodes = [measured_episodes(task, length, sequences, seed) for length in lengths]
    for mode in modes:
        found = tuple(Spread.of(_wrong_bits(machine, task, every, mode)) for every in episodes)
        yield ModeRow(mode, MODES[mode].title, found)


def markdown(lengths: Sequence[int], rows: Iterable[ModeRow]) -> Iterator[str]:
    """The lines of a table: what each mode changes, and median (lowest–highest) of the wrong bits, or one number."""
    yield f"| mode | what is changed | {' | '.join(map(str, lengths))} |"
    yield f"|---|---{'|---' * len(lengths)}|"
    for row in rows:
        changed = MODES[row.mode].equation or "nothing"
        yield f"| {row.title} | {changed} | {' | '.join(map(_cell, row.wrong_bits))} |"


def _cell(spread: Spread) -> str:
    if spread.median is None:
        return "–"
    if spread.lowest == spread.highest:
        return f"{spread.median:g}"
    return f"{spread.median:g} ({spread.lowest:g}–{spread.highest:g})"


@torch.inference_mode()
def _wrong_bits(machine: Machine, task: TaskBase, episodes: Sequence[Episode], mode: ModeName) -> list[float]:
    """The wrong bits of each sequence of all episodes."""
    editor = Editor(machine.config, MODES[mode].interventions, on_violation=allow)
    wrong: list[float] = []
    for initial_seed, episode in enumerate(episodes):
        inputs = torch.from_numpy(episode.inputs).to(machine.output.weight.dtype)
        start = machine.initial_state(episode.batch, initial_seed)
        logits = torch.stack([result.logits for result in machine.run(inputs, start, editor)])
        wrong += scores(task, episode, logits).wrong_bits.tolist()
    return wrong
