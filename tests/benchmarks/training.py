"""How fast machines train: whole iterations, in process CPU time on one thread, each variant in turn.

`python -m tests.benchmarks.training` prints iterations a second of what `ntm-scope train` does, of the compiled core in
an ordinary loop of PyTorch, of eager mode, of the loop in `textbook.py`, and of JAX if it is installed
(`jax_machine.py`). Beside them stands what the processor could do at most, from its measured rates of arithmetic and of
memory; below, the ratios of the first, each with its aim.
"""

import itertools
import os
import statistics
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from ntm_core.config import MachineConfig
from ntm_core.machine import Machine, warm_up
from ntm_core.tasks import Copy, Episode
from ntm_core.training.loss import sequence_loss
from ntm_core.training.plan import Plan
from ntm_core.training.recipe import Recipe
from ntm_core.training.trainer import Trainer
from tests.benchmarks import jax_machine
from tests.benchmarks.textbook import Textbook

STEPS = Copy(lengths=(20, 20)).longest
CASES = ((1, 128, 20), (16, 128, 20), (32, 128, 20), (16, 1024, 64))
ROUNDS = 5
SECONDS = 1.0
"""CPU time of each variant in a round."""

AIMS = {"eager": (8, 8, 8, 8), "textbook": (70, 50, 50, 50), "jax": (2, 7, 7, 7), "floor": (33, 33, 33, 33)}
"""For each case: so many times as fast as these, and so many hundredths of the floor's rate."""

Iteration = Callable[[], object]


def episodes(batch: int) -> Iterator[Episode]:
    """Batches of copy, the same for every variant."""
    task = Copy(lengths=(20, 20))
    return (task.episodes((0, seed), batch) for seed in itertools.count(1))


def iteration(model: nn.Module, batch: int) -> Iteration:
    """One whole iteration of training: data, forward, loss, backward, clipped update."""
    optimiser = torch.optim.RMSprop(model.parameters(), 1e-4, 0.95, momentum=0.9)
    source = episodes(batch)

    def run() -> None:
        episode = next(source)
        inputs, targets, mask = map(torch.from_numpy, (episode.inputs, episode.targets, episode.mask))
        optimiser.zero_grad()
        sequence_loss(model(inputs), targets, mask).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()

    return run


def jax_iteration(machine: Machine, batch: int) -> Iteration:
    """The same iteration, computed by JAX."""
    update, source = jax_machine.update_of(machine), episodes(batch)

    def run() -> None:
        episode = next(source)
        update(episode.inputs, episode.targets, episode.mask)

    return run


def command_iteration(config: MachineConfig, batch: int) -> Iteration:
    """The same iteration, as `ntm-scope train` does it."""
    recipe = Recipe(batch=batch, optimiser="rmsprop", learning_rate=1e-4, clip_norm=1.0)
    return Trainer(Plan(task=Copy(lengths=(20, 20)), config=config, recipe=recipe, seed=0)).update


def variants(batch: int, memory_size: int, word_size: int) -> dict[str, Iteration]:
    """An iteration of each variant, for machines of the same size."""
    config = MachineConfig(input_size=9, output_size=8, memory_size=memory_size, word_size=word_size)
    compiled, eager = Machine(config), Machine(config)
    eager.core = "eager"
    models: dict[str, nn.Module] = {"compiled": compiled, "eager": eager, "textbook": Textbook(config)}
    runs = {"command": command_iteration(config, batch)}
    runs |= {name: iteration(model, batch) for name, model in models.items()}
    return runs | ({"jax": jax_iteration(Machine(config), batch)} if jax_machine.is_installed() else {})


def seconds_each(runs: dict[str, Iteration]) -> dict[str, float]:
    """The median over the rounds of the CPU seconds of one iteration, the variants taking turns."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    counts = {name: _count(run) for name, run in runs.items()}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            start = time.process_time()
            for _ in range(counts[name]):
                run()
            found[name].append((time.process_time() - start) / counts[name])
    return {name: statistics.median(times) for name, times in found.items()}


def _count(run: Iteration) -> int:
    run()
    start = time.process_time()
    run()
    return max(1, round(SECONDS / (time.process_time() - start)))


def floor(batch: int, memory_size: int, word_size: int) -> float:
    """The least seconds of an iteration: its multiplications, or its bytes, at the rates that the processor has."""
    weights = 400 * (29 + 100) + 100 * (2 * (word_size + 6) + 2 * word_size) + 8 * (100 + word_size)
    memory = memory_size * word_size
    multiplications = 2 * STEPS * batch * (3 * weights + 15 * memory)
    numbers = 4 * STEPS * (2 * weights + 8 * batch * memory)
    return max(multiplications / _flops(), numbers / _bandwidth())


def _flops() -> float:
    matrix = torch.randn(512, 512)
    return 2 * 512**3 / _best(lambda: matrix @ matrix)


def _bandwidth() -> float:
    numbers = torch.randn(50_000)
    return 4 * len(numbers) / _best(numbers.sum)


def _best(function: Callable[[], Tensor]) -> float:
    times = []
    for _ in range(200):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):  # on one core: a thread of JAX that only waits would count as work
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    warm_up(print)
    print(f"Copy, {STEPS} steps, LSTM 100, one read and one write head; iterations a second of CPU time, one thread")
    names = ("command", "compiled", "eager", "textbook", *(["jax"] if jax_machine.is_installed() else []))
    print(
        f"{'batch':>5} {'N x W':>9} " + " ".join(f"{name:>9}" for name in (*names, "floor")) + "   the command against"
    )
    for case, (batch, memory_size, word_size) in enumerate(CASES):
        seconds = seconds_each(variants(batch, memory_size, word_size))
        least = floor(batch, memory_size, word_size)
        rates = " ".join(f"{1 / time:9.2f}" for time in (*(seconds[name] for name in names), least))
        against = {name: seconds[name] / seconds["command"] for name in names[2:]}
        ratios = ", ".join(f"{name} {ratio:.1f}x ({AIMS[name][case]})" for name, ratio in against.items())
        share = f"{100 * least / seconds['command']:.0f} % of the floor ({AIMS['floor'][case]})"
        print(f"{batch:5} {f'{memory_size}x{word_size}':>9} {rates}   {ratios}, {share}", flush=True)


if __name__ == "__main__":
    main()
