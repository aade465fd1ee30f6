"""Native checkpoints: the same machine back, and nothing but a `CheckpointError` from any file that is not one."""

import json
import re
import struct
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_core.checkpoints import native
from ntm_core.checkpoints.native import (
    Checkpoint,
    CheckpointLimits,
    checkpoint_bytes,
    load_checkpoint,
    save_checkpoint,
)
from ntm_core.config import MachineConfig
from ntm_core.errors import CheckpointError
from ntm_core.machine import Machine
from ntm_core.recording import record
from ntm_core.tasks import Copy
from tests.core.machines import DTYPES, any_episode, at_rest, configs, small_config, stirred

ABOUT: dict[str, Any] = {
    "task": {"name": "copy", "bits": 8, "lengths": [1, 20]},
    "training": {"seed": 0, "iterations": 1500, "loss": 0.25},
    "results": {"wrong_bits": {"10": 0.0}},
    "card": "Watch the write head: κάθε βήμα, one location.",
}
MACHINE = at_rest(stirred(small_config(memory_size=3, word_size=2, controller_size=2), dtype=torch.float32))
CHECKPOINT = Checkpoint.of(MACHINE, **ABOUT)
DATA = checkpoint_bytes(CHECKPOINT)
Metadata = dict[str, Any]


def assert_same(found: Checkpoint, expected: Checkpoint) -> None:
    assert found.config == expected.config
    assert found.tensors.keys() == expected.tensors.keys()
    for name, tensor in expected.tensors.items():
        assert found.tensors[name].dtype == tensor.dtype
        assert found.tensors[name].numpy().tobytes() == tensor.numpy().tobytes()
    for name in ABOUT:
        assert getattr(found, name) == getattr(expected, name)


def refusal(data: bytes | str | Path, limits: CheckpointLimits | None = None) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(data, limits)
    assert caught.value.code == "bad_checkpoint"
    return str(caught.value)


# Building files that break one rule each


def header_of(data: bytes = DATA) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return found


def with_header_text(text: str | bytes) -> bytes:
    """The same tensor bytes behind this text as header."""
    encoded = text if isinstance(text, bytes) else text.encode()
    body = DATA[8 + int.from_bytes(DATA[:8], "little") :]
    return struct.pack("<Q", len(encoded)) + encoded + body


def with_metadata(change: Callable[[Metadata], object]) -> bytes:
    header = header_of()
    change(header["__metadata__"])
    return with_header_text(json.dumps(header))


def with_config(**changes: Any) -> bytes:
    return with_metadata(lambda m: m.update(config=json.dumps(json.loads(m["config"]) | changes)))


def with_entry(name: str, **changes: Any) -> bytes:
    header = header_of()
    header[name] |= changes
    return with_header_text(json.dumps(header))


def with_tensors(tensors: dict[str, torch.Tensor]) -> bytes:
    return safetensors.torch.save(tensors, header_of()["__metadata__"])


# Round trip


@given(configs(), st.integers(0, 99), st.sampled_from(DTYPES))
@settings(max_examples=10)
def test_a_checkpoint_survives_its_file_bit_for_bit(config: MachineConfig, seed: int, dtype: torch.dtype) -> None:
    """… and the machine that comes back leaves the very trace that the first one left."""
    machine = at_rest(stirred(config, seed, dtype=dtype))
    checkpoint = Checkpoint.of(machine, **ABOUT)
    found = load_checkpoint(checkpoint_bytes(checkpoint))
    assert_same(found, checkpoint)
    episode = any_episode(config, 4)
    one, other = record(machine, episode), record(found.machine(), episode)
    assert one.header == other.header
    assert one.initial.tobytes() == other.initial.tobytes()
    assert one.records.tobytes() == other.records.tobytes()
    assert one.memory.tobytes() == other.memory.tobytes()


def test_the_same_checkpoint_is_the_same_bytes() -> None:
    """So that the file of a seeded training, and an id made from its digest, can be compared."""
    assert {checkpoint_bytes(load_checkpoint(DATA)) for _ in range(5)} == {DATA}


def test_a_checkpoint_survives_a_path(tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    save_checkpoint(path, CHECKPOINT)
    assert_same(load_checkpoint(path), CHECKPOINT)
    assert_same(load_checkpoint(str(path)), CHECKPOINT)
    assert [found.name for found in tmp_path.iterdir()] == ["one.safetensors"]


def test_a_checkpoint_that_knows_nothing_but_its_machine() -> None:
    found = load_checkpoint(checkpoint_bytes(Checkpoint.of(MACHINE)))
    assert (found.task, found.training, found.results, found.card) == (None, None, None, None)


def test_the_machine_of_a_checkpoint_is_at_rest_and_its_own() -> None:
    checkpoint = load_checkpoint(DATA)
    machine = checkpoint.machine()
    assert not machine.training
    assert not any(parameter.requires_grad for parameter in machine.parameters())
    machine.output.bias.fill_(7)
    assert_same(checkpoint, CHECKPOINT)


def test_a_checkpoint_holds_copies_of_the_tensors() -> None:
    machine = Machine(small_config())
    checkpoint = Checkpoint.of(machine)
    with torch.no_grad():
        machine.output.bias.fill_(7)
    assert not bool((checkpoint.tensors["output.bias"] == 7).any())
    assert not checkpoint.tensors["output.bias"].requires_grad
    assert checkpoint.parameters == sum(value.numel() for value in machine.state_dict().values())


def test_safetensors_alone_reads_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    save_checkpoint(path, CHECKPOINT)
    with safetensors.safe_open(path, "np") as file:
        metadata = file.metadata()
        assert set(file.keys()) == set(CHECKPOINT.tensors)
        assert np.array_equal(file.get_tensor("output.bias"), CHECKPOINT.tensors["output.bias"].numpy())
    assert metadata["format"] == "ntm-scope-checkpoint"
    assert metadata["format_version"] == "1"
    assert MachineConfig.model_validate_json(metadata["config"]) == CHECKPOINT.config
    assert {name: json.loads(metadata[name]) for name in ABOUT} == ABOUT


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_record_with_a_nan_is_never_written(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        checkpoint_bytes(replace(CHECKPOINT, training={"loss": value}))


DEEP: list[Any] = []
DEEP.append(DEEP)


def parametrised(machine: Machine) -> None:
    torch.nn.utils.parametrizations.weight_norm(machine.heads)


def buffered(machine: Machine) -> None:
    machine.register_buffer("more", torch.zeros(1))


def spoilt(machine: Machine) -> None:
    with torch.no_grad():
        machine.heads.bias[0] = torch.nan


@pytest.mark.parametrize(
    ("change", "about", "words"),
    [
        (parametrised, {}, "tensor 'heads.parametrizations.weight.original0' is not part of this machine"),
        (buffered, {}, "tensor 'more' is not part of this machine"),
        (lambda machine: machine.bfloat16(), {}, "the tensors are bfloat16: all must be float32, or all float64"),
        (spoilt, {}, "tensor 'heads.bias' holds NaN or infinity"),
        (None, {"task": "copy"}, "the checkpoint's task must be a JSON object or null, not str"),
        (None, {"task": {"name": Copy()}}, "the checkpoint's task cannot be written as JSON: Object of type Copy"),
        (None, {"card": 5}, "the checkpoint's card must be a JSON string or null, not int"),
        (None, {"card": "long" * (1 << 20)}, "more than the limit of 4194304"),
        (None, {"results": {"deep": DEEP}}, "results cannot be written as JSON"),
    ],
)
def test_what_the_reader_refuses_is_not_written(
    tmp_path: Path, change: Callable[[Machine], object] | None, about: dict[str, Any], words: str
) -> None:
    machine = Machine(small_config())
    if change is not None:
        change(machine)
    with pytest.raises(CheckpointError, match=re.escape(words)):
        save_checkpoint(tmp_path / "one.safetensors", Checkpoint.of(machine, **about))
    assert not list(tmp_path.iterdir())


def test_a_task_may_be_given_as_it_is() -> None:
    checkpoint = Checkpoint.of(MACHINE, task=Copy(lengths=(2, 3)))
    assert checkpoint.task == Copy(lengths=(2, 3)).model_dump(mode="json")
    assert load_checkpoint(checkpoint_bytes(checkpoint)).task == checkpoint.task


# Files whose config asks for more than they hold


@given(configs())
@settings(max_examples=100)
def test_the_least_that_a_machine_may_hold_is_near_what_it_does_hold(config: MachineConfig) -> None:
    """So that a machine is only built from a file of the size of its parameters, and always from one that fits."""
    parameters = sum(tensor.numel() for tensor in Machine(config).state_dict().values())
    assert parameters / 8 < native._least_parameters(config) < parameters


def test_a_machine_larger_than_its_file_is_never_built() -> None:
    """34 GB of LSTM, asked for by a file of a few kilobytes."""
    found = refusal(with_config(controller_size=8192, controller_layers=16))
    assert f"the tensors hold {CHECKPOINT.parameters} numbers, but the config asks for more than 2080595984" in found


# Not a file, not a safetensors file


def test_a_path_that_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "missing.safetensors")
    assert str(tmp_path) in refusal(str(tmp_path / "missing.safetensors"))
    assert "cannot be read" in refusal(tmp_path)


@pytest.mark.parametrize("data", [b"", b"1234567", b"\0" * 8, b"PK\x03\x04" * 9, b"\x80\x04." * 100, bytes(range(256))])
def test_bytes_that_are_no_safetensors_file(data: bytes) -> None:
    refusal(data)


def test_a_truncated_file_at_every_length() -> None:
    for length in range(0, len(DATA), 7):
        refusal(DATA[:length])


def test_a_file_with_something_before_or_after_it() -> None:
    refusal(DATA + b"\0")
    refusal(b"\0" + DATA)
    refusal(DATA + DATA)


@pytest.mark.parametrize("size", [0, 1, len(DATA), 2**31, 2**32, 2**63, 2**64 - 1])
def test_a_header_length_that_lies(size: int) -> None:
    refusal(struct.pack("<Q", size) + DATA[8:])


def test_a_header_beyond_its_limit() -> None:
    text = json.dumps(header_of())
    found = refusal(with_header_text(text + " " * (4 << 20)))
    assert "the header has" in found
    assert str(4 << 20) in found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the header is not JSON"),
        ("{", "the header is not JSON"),
        (b"\xff\xfe{}", "the header is not JSON"),
        ("[" * 100_000, "the header is not JSON"),
        ('{"a":' * 100_000, "the header is not JSON"),
        ("1" * 5000, "the header is not JSON"),
        ("NaN", "bare token NaN"),
        ("[]", "not an NTM Scope checkpoint"),
        ("{}", "not an NTM Scope checkpoint"),
        ('{"__metadata__": []}', "not an NTM Scope checkpoint"),
        ('{"__metadata__": {"format": "pt"}}', "must say format 'ntm-scope-checkpoint'"),
        ('{"__metadata__": {"format": ["ntm-scope-checkpoint"]}}', "must say format"),
    ],
)
def test_a_header_that_is_none_of_ours(text: str | bytes, words: str) -> None:
    assert words in refusal(with_header_text(text))


def test_a_safetensors_file_of_another_program() -> None:
    assert "not an NTM Scope checkpoint" in refusal(safetensors.torch.save(CHECKPOINT.tensors))
    assert "not an NTM Scope checkpoint" in refusal(safetensors.torch.save(CHECKPOINT.tensors, {"format": "pt"}))


# Metadata


@pytest.mark.parametrize("version", ["2", "0", "", "1.0", 1, None])
def test_an_unknown_version(version: object) -> None:
    found = refusal(with_metadata(lambda m: m.update(format_version=version)))
    assert f"version {version!r} is unknown: this program reads version 1" in found


@pytest.mark.parametrize("name", list(ABOUT))
@pytest.mark.parametrize("text", ["", "{", "[1]", "7", "true", '{"a": NaN}', "-Infinity", "[" * 50_000, "9" * 5000])
def test_a_record_that_is_no_json_of_its_kind(name: str, text: str) -> None:
    assert name in refusal(with_metadata(lambda m: m.update({name: text})))


def test_a_record_and_a_card_are_not_each_other() -> None:
    assert "task must be a JSON object or null, not str" in refusal(with_metadata(lambda m: m.update(task='"copy"')))
    assert "card must be a JSON string or null, not dict" in refusal(with_metadata(lambda m: m.update(card="{}")))


@pytest.mark.parametrize("value", [1, None, [], {}])
def test_a_metadata_value_that_is_no_text(value: object) -> None:
    refusal(with_metadata(lambda m: m.update(extra=value)))


# Config


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"memory_size": 0}, "memory_size is 0"),
        ({"memory_size": 10**9}, "memory_size is 1000000000"),
        ({"memory_size": 4}, "has shape"),
        ({"similarity": "sine"}, "similarity is 'sine'"),
        ({"surprise": 1}, "surprise is 1"),
        ({"head_order": ["read", "write"]}, "head_order is given"),
        ({"controller": "gru"}, "tensor"),
        ({"controller_layers": 2}, "tensor 'controller.layers.1.bias_hh' is missing"),
        ({"initial_read": "zeros"}, "tensor 'initial.read_value' is not part of this machine"),
    ],
)
def test_a_config_that_is_wrong_or_of_another_machine(changes: dict[str, Any], words: str) -> None:
    assert words in refusal(with_config(**changes))


@pytest.mark.parametrize(
    "text", ["null", "[]", "{}", "", "1", "NaN", '{"clip": 1e999}', "[" * 50_000, '{"input_size":' * 9000]
)
def test_a_config_that_is_no_config(text: str) -> None:
    assert "config" in refusal(with_metadata(lambda m: m.update(config=text)))


def test_a_file_without_a_config() -> None:
    assert "config" in refusal(with_metadata(lambda m: m.pop("config")))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"memory_size": 65536, "word_size": 4096}, "memory_size 65536 x word_size 4096 is 268435456 cells"),
        ({"memory_size": 65536, "read_heads": 64, "write_heads": 64}, "memory_size 65536 x 128 heads is 8388608"),
    ],
)
def test_a_machine_beyond_the_limits(changes: dict[str, Any], words: str) -> None:
    """M_0 constant and w_0 fixed take no room in the file: the config alone would fill the memory."""
    light = {"initial_memory": "constant", "initial_weighting": "uniform"}
    assert words in refusal(with_config(**light, **changes))


def test_what_could_not_be_read_again_is_not_written() -> None:
    config = MachineConfig(input_size=1, output_size=1, memory_size=1025, word_size=4096, controller_size=1)
    with pytest.raises(CheckpointError, match="memory_size 1025 x word_size 4096 is 4198400 cells"):
        checkpoint_bytes(Checkpoint.of(Machine(config)))


def test_limits_are_the_callers() -> None:
    assert_same(load_checkpoint(DATA, CheckpointLimits(len(DATA), 6, 6)), CHECKPOINT)
    assert f"{len(DATA)} bytes" in refusal(DATA, CheckpointLimits(max_bytes=len(DATA) - 1))
    assert "6 cells, more than the limit of 5" in refusal(DATA, CheckpointLimits(max_memory_cells=5))
    assert "6 weights a step, more than the limit of 5" in refusal(DATA, CheckpointLimits(max_weightings=5))


def test_a_large_file_is_not_read_beyond_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    tracemalloc.start()
    try:
        refusal(path, CheckpointLimits(max_bytes=1000))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_huge_machine_without_its_tensors_is_refused_without_being_built() -> None:
    """16 layers of 8192 units are 8.6 billion parameters; 64 + 64 heads of 4096 cells another 20 billion."""
    huge = {"controller_size": 8192, "controller_layers": 16, "read_heads": 64, "write_heads": 64, "word_size": 4096}
    assert "tensor" in refusal(with_config(**huge, memory_size=8, initial_memory="constant"))


# Tensors


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["heads.weight", "initial.memory_value"])
def test_a_number_that_is_none(name: str, value: float) -> None:
    tensors = {key: tensor.clone() for key, tensor in CHECKPOINT.tensors.items()}
    tensors[name].view(-1)[-1] = value
    assert f"tensor '{name}' holds NaN or infinity" in refusal(with_tensors(tensors))


def test_a_tensor_too_few_or_too_many() -> None:
    tensors = dict(CHECKPOINT.tensors)
    assert "tensor 'extra' is not part of this machine" in refusal(with_tensors(tensors | {"extra": torch.ones(1)}))
    del tensors["output.bias"]
    assert "tensor 'output.bias' is missing" in refusal(with_tensors(tensors))
    refusal(with_tensors({}))


@pytest.mark.parametrize("shape", [(3,), (2, 1), (), (0,)])
def test_a_tensor_of_another_shape(shape: tuple[int, ...]) -> None:
    found = refusal(with_tensors(CHECKPOINT.tensors | {"output.bias": torch.ones(shape)}))
    assert f"tensor 'output.bias' has shape {shape}, but the config asks for (2,)" in found


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool, torch.complex64]
)
def test_tensors_of_another_dtype(dtype: torch.dtype) -> None:
    name = str(dtype).removeprefix("torch.")
    every = {key: tensor.to(dtype) for key, tensor in CHECKPOINT.tensors.items()}
    assert f"the tensors are {name}: all must be float32, or all float64" in refusal(with_tensors(every))
    one = CHECKPOINT.tensors | {"output.bias": CHECKPOINT.tensors["output.bias"].to(dtype)}
    assert name in refusal(with_tensors(one))


def test_mixed_precision() -> None:
    one = CHECKPOINT.tensors | {"output.bias": CHECKPOINT.tensors["output.bias"].double()}
    assert "the tensors are float32, float64: all must be" in refusal(with_tensors(one))


@pytest.mark.parametrize("dtype", ["F4", "F6_E2M3", "F8_E4M3", "F8_E8M0", "F128", "f32", "", "U128", "C64"])
@pytest.mark.parametrize("shape", [[2], [4], [16], [0], []])
def test_an_entry_of_an_unusual_type(dtype: str, shape: list[int]) -> None:
    refusal(with_entry("output.bias", dtype=dtype, shape=shape))


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": [2**63, 0]},
        {"shape": [2**64 - 1, 2]},
        {"shape": [-2]},
        {"shape": [2.0]},
        {"shape": "2"},
        {"shape": [1] * 1000 + [2]},
        {"data_offsets": [0, 0]},
        {"data_offsets": [8, 0]},
        {"data_offsets": [0, 2**63]},
        {"data_offsets": [-8, 0]},
        {"data_offsets": [0, 8, 16]},
        {"data_offsets": []},
    ],
)
def test_an_entry_that_lies(changes: dict[str, Any]) -> None:
    refusal(with_entry("output.bias", **changes))


@pytest.mark.parametrize(
    "shape",
    [
        [0, 2**62],
        [2**62, 0],
        [0, 2**63 - 1],
        [0] * 80,
        [0, 2**32, 2**32],
    ],
)
def test_an_empty_tensor_of_an_enormous_shape(shape: list[int]) -> None:
    """Nothing of it lies in the file, so no offset betrays it."""
    header = header_of()
    header["extra"] = {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}
    refusal(with_header_text(json.dumps(header)))


def test_two_tensors_over_the_same_bytes() -> None:
    header = header_of()
    refusal(with_entry("output.bias", data_offsets=header["heads.bias"]["data_offsets"]))


# Damage anywhere


def outcome(data: bytes) -> None:
    """Loading either works or is a CheckpointError; every other exception fails the test."""
    with suppress(CheckpointError):
        load_checkpoint(data).machine()


@given(st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=200)
def test_flipped_bytes_are_only_ever_a_checkpoint_error(flips: list[tuple[int, int]]) -> None:
    damaged = bytearray(DATA)
    for at, value in flips:
        damaged[at] = value
    outcome(bytes(damaged))


@given(st.binary(max_size=200), st.integers(0, len(DATA)), st.integers(0, 60))
@settings(max_examples=150)
def test_spliced_bytes_are_only_ever_a_checkpoint_error(piece: bytes, at: int, gone: int) -> None:
    outcome(DATA[:at] + piece + DATA[at + gone :])


@given(st.binary(max_size=400), st.booleans())
@settings(max_examples=100)
def test_random_bytes_are_only_ever_a_checkpoint_error(data: bytes, framed: bool) -> None:
    refusal(struct.pack("<Q", len(data)) + data if framed else data)
