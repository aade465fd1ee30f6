"""Traces that the authors of other programs' own code left, beside what our machine computes from their files.

`python -m tests.core.golden` prints the largest difference of each trace. The traces are not part of this repository:
they are looked for in the folder that NTM_SCOPE_PEERS names, or in shared/peers beside the repository.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ntm_core.checkpoints.containers import open_container
from ntm_core.checkpoints.importers import Contents, Import, Wishes, import_contents
from ntm_core.config import MachineConfig
from ntm_core.machine import Machine
from ntm_core.recording import record
from ntm_core.tasks.episode import Episode
from ntm_core.trace import Trace

Numbers = NDArray[np.float64]

REPOSITORY = Path(__file__).resolve().parents[2]
PEERS = Path(os.environ.get("NTM_SCOPE_PEERS") or REPOSITORY.parent / "shared" / "peers")

CHECKPOINTS = {
    "clemkoa-copy-10": "clemkoa-copy.pt",
    "clemkoa-copy-20": "clemkoa-copy.pt",
    "fumin-copy-seed2-0": "fumin-copy-seed2.json",
    "fumin-repeatcopy-seed11-0": "fumin-repeatcopy-seed11.json",
    "lasagne-associative-recall-0": "lasagne-associative-recall.npy",
    "lasagne-copy-0": "lasagne-copy.npy",
    "lasagne-copy-1": "lasagne-copy.npy",
    "loudinthecloud-copy-head-warm600-10": "loudinthecloud-copy-head-warm600.model",
    "loudinthecloud-copy-hist1-10": "loudinthecloud-copy-hist1.model",
    "loudinthecloud-copy-hist1-20": "loudinthecloud-copy-hist1.model",
    "loudinthecloud-randinit-2heads-2layers-copy-6": "loudinthecloud-randinit-2heads-2layers.model",
    "vlgiitr-associative-5": "vlgiitr-associative.pt",
    "vlgiitr-copy-10": "vlgiitr-copy.pt",
}
"""The checkpoint of each trace, by the trace's name."""

EXACT = ("weighting", "outputs")
"""What must agree most closely."""

_PER_HEAD = (
    ("weighting", "w"),
    ("content_weighting", "wc"),
    ("content_weighting", "w_content"),
    ("gated_weighting", "wg"),
    ("gated_weighting", "w_gated"),
    ("shifted_weighting", "ws"),
    ("shifted_weighting", "w_shifted"),
    ("key", "k"),
    ("key_strength", "beta"),
    ("interpolation_gate", "g"),
    ("shift_weighting", "s"),
    ("sharpening", "gamma"),
)
"""What every head has, and the keys of the traces."""


def peers_are_absent() -> str | None:
    """Why the traces cannot be read here; None if they can."""
    return None if (PEERS / "golden").is_dir() else f"there are no peers' traces in {PEERS}"


@dataclass(frozen=True)
class Golden:
    """One trace: its arrays by name, and what it says about itself."""

    name: str
    arrays: Mapping[str, Numbers]
    meta: Mapping[str, object]

    @property
    def double(self) -> bool:
        """Whether it was recorded in float64, and then rounded to float32."""
        return self.name.startswith(("lasagne", "fumin"))

    @property
    def episode(self) -> Episode:
        """Its input rows, of which nothing is asked."""
        inputs = self.arrays["input"][:, None].astype(np.float32)
        steps, outputs = self.arrays["output"].shape
        nothing = np.zeros((steps, 1, outputs), np.float32)
        return Episode(inputs, nothing, np.zeros((steps, 1), np.float32), np.zeros(steps, np.int64), ("input",))

    def initial(self, config: MachineConfig) -> dict[str, Numbers]:
        """The state before its first step, by part."""
        parts = {"memory": self.arrays["init.memory"]}
        heads = [*(f"read{i}" for i in range(config.read_heads)), *(f"write{i}" for i in range(config.write_heads))]
        parts["weighting"] = np.stack([self.arrays[f"init.{head}.w"] for head in heads])
        if "init.read0.r" in self.arrays:
            parts["read_vector"] = np.stack([self.arrays[f"init.read{i}.r"] for i in range(config.read_heads)])
        for part, names in (("hidden", ("init.controller.h", "init.hidden")), ("cell", ("init.controller.c",))):
            for name in names:
                if name in self.arrays:
                    parts[part] = self.arrays[name].reshape(config.controller_layers, -1)
        return parts


@cache
def load_golden(name: str) -> Golden:
    """The trace of this name."""
    with np.load(PEERS / "golden" / f"{name}.npz") as archive:
        arrays = {key: np.asarray(archive[key], np.float64) for key in archive.files if key != "meta"}
        return Golden(name, arrays, json.loads(str(archive["meta"])))


@cache
def imported(checkpoint: str) -> Import:
    """The import of a peers' checkpoint, by the evidence in the file alone."""
    data = (PEERS / "checkpoints" / checkpoint).read_bytes()
    return import_contents(Contents.of(open_container(data)), Wishes(), detect=False)


def machine_of(name: str, **choices: object) -> Machine:
    """Our machine for a trace, perhaps with some choices made otherwise."""
    checkpoint = imported(CHECKPOINTS[name]).checkpoint()
    machine = checkpoint.machine()
    if not choices:
        return machine
    other = Machine(MachineConfig.make(**{**checkpoint.config.model_dump(), **choices}))
    other = other.to(machine.output.weight.dtype)
    other.load_state_dict(machine.state_dict())
    return other.eval().requires_grad_(False)


def differences(golden: Golden, machine: Machine) -> dict[str, float]:
    """The largest difference of each quantity that the trace holds, from the trace's own initial state and rows."""
    trace = record(machine, golden.episode, initial=golden.initial(machine.config))
    return comparison(golden, trace)


def comparison(golden: Golden, trace: Trace) -> dict[str, float]:
    """The largest difference of each quantity over all heads; every number of ours must be finite."""
    found: dict[str, float] = {}
    for quantity, ours, key in _pairs(trace):
        if key in golden.arrays:
            theirs = golden.arrays[key]
            if quantity == "shift_weighting" and not golden.double:
                theirs = theirs[:, ::-1]  # these programs store the tap for a move to the next row first
            assert np.isfinite(ours).all()
            difference = float(np.abs(ours.astype(np.float64) - theirs.reshape(ours.shape)).max())
            found[quantity] = max(difference, found.get(quantity, 0.0))
    return found


def _pairs(trace: Trace) -> Iterator[tuple[str, Numbers, str]]:
    """Each quantity, what our machine computed, and a key that the traces may hold it under."""
    config = trace.header.config
    yield "outputs", trace["outputs"], "output"
    yield "memory", trace.memory[1:], "memory"
    for quantity, key in (("hidden", "controller.h"), ("hidden", "hidden"), ("cell", "controller.c")):
        if quantity in trace.names:
            yield quantity, trace[quantity], key
    for index, head in enumerate(trace.header.heads):
        before = head.name.replace(" ", "")
        yield "acting weighting", trace.acting_weighting[:, index], f"{before}.w_used"
        for quantity, key in _PER_HEAD:
            yield quantity, trace[quantity][:, index], f"{before}.{key}"
    for index in range(config.read_heads):
        yield "read_vector", trace["read_vector"][:, index], f"read{index}.r"
    for index in range(config.write_heads):
        yield "erase_vector", trace["erase_vector"][:, index], f"write{index}.e"
        yield "add_vector", trace["add_vector"][:, index], f"write{index}.a"


def main() -> None:
    """Print a row for each trace: the largest differences, and the quantity that differs most of the others."""
    sys.stdout.write(f"{'trace':48} {'weighting':>9} {'outputs':>9} {'worst of the others':>20}\n")
    for name in CHECKPOINTS:
        found = differences(load_golden(name), machine_of(name))
        others = {quantity: value for quantity, value in found.items() if quantity not in EXACT}
        worst = max(others, key=lambda quantity: others[quantity])
        sys.stdout.write(f"{name:48} {found['weighting']:9.2g} {found['outputs']:9.2g} {others[worst]:9.2g} {worst}\n")


if __name__ == "__main__":
    main()
