from typing import Any

import numpy as np
import pytest

from ntm_core.checkpoints.containers import Record, flatten
from ntm_core.errors import CheckpointError

ONE, TWO, THREE = np.ones(1), np.ones(2), np.ones(3)


def module(parameters: dict[str, Any], modules: dict[str, Any] | None = None, **fields: Any) -> Record:
    return Record("a.B", {"_buffers": {}, **fields, "_parameters": parameters, "_modules": modules or {}})


@pytest.mark.parametrize(
    ("root", "names"),
    [
        (ONE, [""]),
        ([ONE, TWO], ["0", "1"]),
        ((ONE, [TWO, "x"]), ["0", "1.0"]),
        ({"a": ONE, "b": {"c": TWO, 0: THREE}, "n": 5, "s": "x"}, ["a", "b.c", "b.0"]),
        ({"epoch": 3, "state_dict": {"a": ONE}}, ["a"]),
        ({"state_dict": {"a": ONE}, "model": {"b": TWO}}, ["a"]),
        ({"anything": {"a": ONE}, "epoch": 3}, ["a"]),
        ({"model": {"a": ONE, "b": TWO}, "loss": THREE}, ["a", "b"]),
        ({"model": {"a": ONE}, "b": TWO, "c": THREE}, ["model.a", "b", "c"]),
        ({"controller": {"a": ONE}, "memory": {"a": TWO}}, ["controller.a", "memory.a"]),
        ({"ntm": {"a": ONE}, "optimizer_state_dict": {"state": {0: {"exp_avg": TWO}}}}, ["a"]),
        ({"module.a": ONE, "module.b.module.c": TWO}, ["a", "b.module.c"]),
        ({"module.a": ONE, "b": TWO}, ["module.a", "b"]),
        ({"state_dict": {"module.a": ONE}}, ["a"]),
        (module({"weight": ONE, "bias": None}, {"inner": module({"weight": TWO})}), ["weight", "inner.weight"]),
        (module({}, {"module": module({"weight": ONE})}), ["weight"]),
        ({"model": module({"weight": ONE}), "args": Record("argparse.Namespace", {"lr": 0.1})}, ["weight"]),
        (
            module({}, _buffers={"kept": ONE, "scratch": TWO}, _non_persistent_buffers_set=["scratch"], live=THREE),
            ["kept"],
        ),
    ],
)
def test_names_are_those_of_a_state_dict(root: Any, names: list[str]) -> None:
    assert list(flatten(root)) == names


def test_the_arrays_are_those_of_the_root() -> None:
    found = flatten({"a": ONE, "b": TWO, "c": ONE})
    assert found["a"] is ONE
    assert found["c"] is ONE
    assert found["b"] is TWO


@pytest.mark.parametrize(
    "root", [None, {}, [], {"a": 1}, "text", module({}), Record("argparse.Namespace", {"_parameters": 1})]
)
def test_a_root_without_tensors_is_refused(root: Any) -> None:
    with pytest.raises(CheckpointError, match="no tensors"):
        flatten(root)


@pytest.mark.parametrize("root", [{"a.b": ONE, "a": {"b": TWO}}, {1: ONE, "1": TWO}])
def test_one_name_for_two_tensors_is_refused(root: Any) -> None:
    with pytest.raises(CheckpointError, match="two tensors named"):
        flatten(root)
