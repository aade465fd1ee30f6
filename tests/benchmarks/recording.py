"""What recording costs: a forward run whose every step is recorded, against the same run without, by either core.

Beside it stands what nothing that records can go below: writing as many bytes as the records have into fresh memory;
and a run whose last steps alone are edited, which goes on from the one that is known. All run in turn, so that whatever
else the machine does hits them alike; the figure is process CPU time on one thread.

    python -m tests.benchmarks.recording [--rounds 15]
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from ntm_core.compiled import Core
from ntm_core.config import MachineConfig
from ntm_core.interventions import Intervention
from ntm_core.machine import Machine
from ntm_core.recording import Recording, record
from ntm_core.tasks.episode import Episode

SIZES = ((128, 20, 41), (128, 20, 200), (128, 20, 1000), (1024, 64, 200))
EDITED_STEPS = 6


def _episode(config: MachineConfig, steps: int) -> Episode:
    bits = np.random.default_rng(0).integers(0, 2, (steps, 1, config.input_size)).astype(np.float32)
    asked = np.ones((steps, 1), np.float32)
    return Episode(bits, bits[..., : config.output_size], asked, np.zeros(steps, np.int64), ("output",))


def _seconds(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def compare(memory_size: int, word_size: int, steps: int, rounds: int, core: Core) -> tuple[float, ...]:
    """Seconds of a run alone, of a recorded run by one core, of writing as much, and of a run with its end edited.

    Medians of rounds in turn.
    """
    config = MachineConfig.make(input_size=9, output_size=8, memory_size=memory_size, word_size=word_size)
    machine = Machine(config, seed=0).requires_grad_(False)
    machine.core = core
    episode = _episode(config, steps)
    inputs = torch.from_numpy(episode.inputs)

    @torch.inference_mode()
    def alone() -> None:
        machine(inputs)

    def recorded() -> None:
        for _ in Recording(machine, episode).run():
            pass

    known = Recording(machine, episode).records.view(np.uint8)

    def written() -> None:
        known.copy()

    whole, late = record(machine, episode), steps - EDITED_STEPS
    edit = Intervention(quantity="interpolation_gate", operation="set", value=0.5, steps=(late, steps))

    def edited() -> None:
        record(machine, episode, interventions=(edit,), resume=(whole, late))

    works = (alone, recorded, written, edited)
    for work in works:
        work()
    seconds = zip(*([_seconds(work) for work in works] for _ in range(rounds)), strict=True)
    return tuple(statistics.median(of_one) for of_one in seconds)


def main() -> None:
    """Print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, torch {torch.__version__}")
    cores: tuple[Core, ...] = ("compiled", "eager")
    for memory_size, word_size, steps in SIZES:
        for core in cores:
            alone, recorded, written, edited = compare(memory_size, word_size, steps, rounds, core)
            size, extra = f"{memory_size} x {word_size}, T = {steps}", recorded / alone - 1
            each = f"{1000 * recorded / steps:.3f} ms a step"
            print(f"{size:<22} {core:<9} run {1000 * alone:>7.2f} ms   recorded {1000 * recorded:>7.2f} ms   ", end="")
            print(f"{extra:+.1%}   {each}   writing alone {written / alone:+.1%}   ", end="")
            print(f"late edit against whole run {edited / recorded:.0%}")


if __name__ == "__main__":
    main()
