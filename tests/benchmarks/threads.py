"""How much sooner an iteration of training is done by several threads, in wall time, each number of them in turn.

Every number of threads comes to the same bits. Nothing else should be at work on the processor.

    python -m tests.benchmarks.threads [--threads 1 2 4] [--rounds 7]
"""

import argparse
import os
import statistics
import time

import torch

from ntm_core.machine import warm_up
from ntm_core.tasks import Task, parse_task
from ntm_core.training import Plan
from ntm_core.training.trainer import Trainer
from server.crews import crew_of

CASES: tuple[tuple[str, dict[str, int], int], ...] = (
    ("copy", {}, 1),
    ("associative_recall", {}, 16),
    ("dynamic_ngrams", {}, 16),
    ("copy", {"memory_size": 1024, "word_size": 64}, 16),
)
"""Tasks, what of the machine differs from their recipe, and the batch."""

SECONDS = 1.0
"""Of each number of threads in a round, about."""


def trainers(task: Task, machine: dict[str, int], batch: int, threads: list[int]) -> list[Trainer]:
    """One for each number of threads, on the same plan."""
    plan = Plan.best_known(task, machine, {"batch": batch}, 1)
    return [Trainer(plan, crew=crew_of(number)) for number in threads]


def seconds_each(learners: list[Trainer], rounds: int) -> list[float]:
    """The median over the rounds of the seconds of one iteration of each, all on the same sequences."""
    count = max(1, round(SECONDS / max(_seconds(learner, 1) for learner in learners)))
    found = [[_seconds(learner, count) for learner in learners] for _ in range(rounds)]
    return [statistics.median(of_one) / count for of_one in zip(*found, strict=True)]


def _seconds(learner: Trainer, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        learner.update()
    return time.perf_counter() - start


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, os.cpu_count() or 1}))
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warm_up(print)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; ms of an iteration, wall time")
    for name, machine, batch in CASES:
        seconds = seconds_each(trainers(parse_task({"name": name}), machine, batch, options.threads), options.rounds)
        size = "".join(f" {value}" for value in machine.values())
        each = "   ".join(
            f"{threads}: {1000 * time:.2f} ({seconds[0] / time:.2f}x)"
            for threads, time in zip(options.threads, seconds, strict=True)
        )
        print(f"{name + size:<22} batch {batch:<3} {each}", flush=True)


if __name__ == "__main__":
    main()
