"""Every importer's machine computes what the program computes, in float64, on random files of every layout."""

import re
from collections.abc import Mapping

import numpy as np
import pytest

from ntm_core.checkpoints.containers.container import Record
from ntm_core.checkpoints.importers import Candidate, Contents, Import, Wishes, import_contents
from ntm_core.checkpoints.importers.candidate import UnansweredError
from ntm_core.errors import CheckpointError
from ntm_core.recording import record
from ntm_core.tasks.episode import Episode
from ntm_core.trace import Trace
from tests.core.importers import programs
from tests.core.importers.kernel import Numbers, Run, relu

STEPS = 9


def contents_of(tensors: Mapping[str, Numbers], rebuilders: tuple[str, ...] = ()) -> Contents:
    return Contents("torch_zip", dict(tensors), tensors, rebuilders)


def imported(contents: Contents, variant: str | None = None, answers: Mapping[str, int] | None = None) -> Import:
    return import_contents(contents, Wishes(variant=variant, answers=answers), detect=False)


def rows_for(channels: int) -> Numbers:
    return np.random.RandomState(5).randint(0, 2, (STEPS, channels)).astype(np.float64)


def traced(chosen: Candidate, rows: Numbers) -> Trace:
    outputs = np.zeros((len(rows), 1, chosen.config.output_size), np.float32)
    mask, phase = np.zeros((len(rows), 1), np.float32), np.zeros(len(rows), np.int64)
    episode = Episode(rows[:, None].astype(np.float32), outputs, mask, phase, ("input",))
    return record(chosen.checkpoint().machine(), episode)


def assert_same(trace: Trace, run: Run, tolerance: float = 1e-9) -> None:
    assert trace.header.dtype == "float64"
    np.testing.assert_allclose(trace["outputs"], np.array(run.outputs), rtol=0, atol=tolerance)
    np.testing.assert_allclose(trace.memory[1:], np.array(run.memory), rtol=0, atol=tolerance)
    names = [head.name for head in trace.header.heads]
    assert set(names) == set(run.weightings)
    for index, name in enumerate(names):
        np.testing.assert_allclose(trace["weighting"][:, index], np.array(run.weightings[name]), rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("variant", "functions", "content_is_one"),
    [
        ("current", programs.PLAIN, False),
        ("relu", programs.EARLY, False),
        ("softplus_shift", programs.SOFTPLUS_SHIFT, False),
        ("batch_softmax", programs.BATCH_SOFTMAX, True),
    ],
)
@pytest.mark.parametrize(
    ("kinds", "layers"),
    [(("read", "write"), 1), (("read", "write", "read", "write"), 2), (("write", "read", "read"), 1)],
)
def test_loudinthecloud(
    variant: str, functions: programs.Functions, content_is_one: bool, kinds: tuple[str, ...], layers: int
) -> None:
    tensors = programs.loudinthecloud_file(kinds, layers)
    found = imported(contents_of(tensors), variant)
    assert found.importer == "loudinthecloud"
    rows = rows_for(found.chosen.config.input_size)
    run = programs.run_loudinthecloud(tensors, rows, functions, content_is_one=content_is_one)
    assert_same(traced(found.chosen, rows), run)


@pytest.mark.parametrize(("pairs", "erases"), [(1, False), (3, False), (2, True)])
def test_vlgiitr(pairs: int, erases: bool) -> None:
    tensors = programs.vlgiitr_file(pairs, erases=erases)
    found = imported(contents_of(tensors))
    assert found.importer == "vlgiitr"
    rows = rows_for(found.chosen.config.input_size)
    trace = traced(found.chosen, rows)
    assert trace.header.initial_seed == 0
    assert np.abs(trace["initial_read_vector"]).max() <= (6 / 4) ** 0.5
    assert_same(trace, programs.run_vlgiitr(tensors, rows, list(trace["initial_read_vector"])))


@pytest.mark.parametrize("feedforward", [False, True])
@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_clemkoa(early: bool, feedforward: bool, shared: bool) -> None:
    tensors = programs.clemkoa_file(early=early, feedforward=feedforward)
    found = imported(contents_of(tensors), "shared_previous" if shared else "own_previous")
    assert found.importer == "clemkoa"
    rows = rows_for(found.chosen.config.input_size)
    assert_same(traced(found.chosen, rows), programs.run_clemkoa(tensors, rows, shared=shared))


def test_clemkoa_tells_by_the_write_heads_untrained_logits() -> None:
    never_trained = imported(contents_of(programs.clemkoa_file(spread=1e-5)))
    trained = imported(contents_of(programs.clemkoa_file(spread=1e-2)))
    assert never_trained.chosen.variant == "shared_previous"
    assert trained.chosen.variant == "own_previous"


def test_rs9000() -> None:
    tensors = programs.rs9000_file()
    found = imported(contents_of(tensors), answers={"memory_size": 9})
    assert found.importer == "rs9000"
    rows = rows_for(found.chosen.config.input_size)
    trace = traced(found.chosen, rows)
    memory, read = trace["initial_memory"], trace["initial_read_vector"][0]
    assert memory.shape == (9, 4)
    assert np.abs(memory).max() <= 13**-0.5
    assert np.abs(read).max() < 1
    assert_same(trace, programs.run_rs9000(tensors, rows, memory, read))
    assert trace["hidden"].shape == (STEPS, 2, 8)
    assert not trace["hidden"][:, 1, 6:].any()


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("kinds", [("write", "read"), ("read", "write", "write", "read")])
@pytest.mark.parametrize("controller", list(programs.GATES))
def test_lasagne(controller: str, kinds: tuple[str, ...], newer: bool) -> None:
    arrays = programs.lasagne_file(controller, kinds, newer=newer)
    found = import_contents(listed(arrays), detect=False)
    assert found.importer == "lasagne"
    rows = rows_for(found.chosen.config.input_size)
    run = programs.run_lasagne(arrays, controller, kinds, rows, relu, newer=newer)
    assert_same(traced(found.chosen, rows), run)


@pytest.mark.parametrize("taps", [2, 4, 5])
def test_lasagne_with_other_shifts(taps: int) -> None:
    arrays = programs.lasagne_file("dense", taps=taps)
    found = import_contents(listed(arrays), Wishes(variant="clip"), detect=False)
    rows = rows_for(found.chosen.config.input_size)

    def clip(x: Numbers) -> Numbers:
        return np.clip(x, 0, 1)

    assert_same(traced(found.chosen, rows), programs.run_lasagne(arrays, "dense", ("write", "read"), rows, clip))


def listed(arrays: list[Numbers]) -> Contents:
    return Contents("npy", arrays, {str(index): array for index, array in enumerate(arrays)})


@pytest.mark.parametrize("heads", [1, 3])
def test_fumin(heads: int) -> None:
    sizes = (5, 3, 6, heads, 7, 4)
    vector = 0.5 * np.random.RandomState(2).standard_normal(programs.fumin_length(*sizes))
    names = ("input_size", "output_size", "controller_size", "heads", "memory_size", "word_size")
    found = imported(Contents("json", vector, {"": vector}), answers=dict(zip(names, sizes, strict=True)))
    assert found.importer == "fumin"
    rows = rows_for(sizes[0])
    trace = traced(found.chosen, rows)
    assert_same(trace, programs.run_fumin(vector, sizes, rows))
    assert [head.same_as for head in trace.header.heads] == [None] * heads + list(range(heads))


def test_float32_files_run_in_float32() -> None:
    single = {name: array.astype(np.float32) for name, array in programs.vlgiitr_file(1).items()}
    chosen = imported(Contents("torch_zip", single, single)).chosen
    assert traced(chosen, rows_for(chosen.config.input_size)).header.dtype == "float32"


@pytest.mark.parametrize("alias", ["memory.mem_bias", "ntm.heads.1.memory.mem_bias"])
def test_loudinthecloud_where_each_tensor_stands_once(alias: str) -> None:
    """As safetensors' `save_model` writes it: the memory, which has many names, by one of them."""
    tensors = programs.loudinthecloud_file(("read", "write"), 1)
    once = {name: array for name, array in tensors.items() if not name.endswith("mem_bias")}
    once[alias] = tensors["memory.mem_bias"]
    rows = rows_for(imported(contents_of(tensors)).chosen.config.input_size)
    run = programs.run_loudinthecloud(tensors, rows, programs.PLAIN, content_is_one=False)
    assert_same(traced(imported(contents_of(once)).chosen, rows), run)


@pytest.mark.parametrize("order", [("write", "read"), ("read", "read", "write", "write"), ("read", "write", "read")])
def test_vlgiitr_whose_pickled_heads_say_what_they_do(order: tuple[str, ...]) -> None:
    tensors = programs.vlgiitr_file(2)
    kept = {name: array for name, array in tensors.items() if not name.startswith("heads.")}
    size, word = tensors["heads.0.key_fc.weight"].shape[::-1]
    for head, kind in enumerate(order):
        like = 0 if kind == "read" else 1
        part = {name: array for name, array in tensors.items() if name.startswith(f"heads.{like}.")}
        kept |= {name.replace(f"heads.{like}.", f"heads.{head}.", 1): array + head for name, array in part.items()}
    reads = order.count("read")
    kept["controller.out_net.weight"] = kept["controller.out_net.weight"][:, : size + reads * word]
    if reads == 1:
        kept["controller.controller_net.weight_ih"] = kept["controller.controller_net.weight_ih"][:, :-word]
    modules = {str(head): Record("ntm.Head", {"mode": kind[0]}) for head, kind in enumerate(order)}
    root = Record("ntm.NTM", {"_modules": {"heads": Record("torch.nn.ModuleList", {"_modules": modules})}})
    found = imported(Contents("torch_zip", {"model": root}, kept)).chosen
    assert found.config.order == order
    assert any("as the pickled module says" in said for said in found.inferred)
    modules["0"] = Record("ntm.Head", {"mode": order[0][0]})
    del modules[str(len(order) - 1)]
    with pytest.raises(CheckpointError, match=f"there must be {len(order)}, of both kinds"):
        imported(Contents("torch_zip", root, kept))


THREE = ("read", "write", "write")
LACKS: dict[str, tuple[Mapping[str, Numbers], str, str]] = {
    "loudinthecloud, a head": (programs.loudinthecloud_file(THREE, 1), "ntm.", "heads.1.fc_write.weight"),
    "loudinthecloud, the last head": (programs.loudinthecloud_file(THREE, 1), "ntm.", "heads.2.fc_write.weight"),
    "loudinthecloud, a layer": (programs.loudinthecloud_file(THREE, 2), "ntm.", "controller.lstm.weight_ih_l1"),
    "vlgiitr, erase": (programs.vlgiitr_file(2, erases=True), "", "heads.1.erase_weight_fc.weight"),
    "vlgiitr, a key": (programs.vlgiitr_file(2), "", "heads.2.key_fc.weight"),
    "vlgiitr, the last key": (programs.vlgiitr_file(2), "", "heads.3.key_fc.weight"),
    "clemkoa, w_0 that is written with": (programs.clemkoa_file(), "", "write_head._initial_state"),
    "clemkoa, w_0 that is read with": (programs.clemkoa_file(), "", "read_head._initial_state"),
}


@pytest.mark.parametrize("name", LACKS)
def test_a_tensor_that_is_missing_is_missed_by_name(name: str) -> None:
    sound, before, missing = LACKS[name]
    tensors = {key: array for key, array in sound.items() if key != before + missing}
    assert len(tensors) == len(sound) - 1
    with pytest.raises(CheckpointError, match=f"tensor '{re.escape(missing)}' is missing"):
        imported(contents_of(tensors))


def test_clemkoa_of_which_nothing_was_trained_tells_nothing() -> None:
    tensors = programs.clemkoa_file(spread=1e-5)
    tensors["read_head._initial_state"] = tensors["write_head._initial_state"]
    found = imported(contents_of(tensors))
    assert any("neither was trained, which tells nothing" in said for said in found.chosen.inferred)


def test_vlgiitr_names_what_plays_no_part() -> None:
    extra = {**programs.vlgiitr_file(1), "heads.0.second_gate_fc.weight": np.zeros((1, 6))}
    assert "tensor 'heads.0.second_gate_fc.weight' plays no part" in imported(contents_of(extra)).chosen.warnings
    assert imported(contents_of(programs.vlgiitr_file(1))).chosen.warnings == ()


def test_fumin_of_other_sizes_is_asked_about() -> None:
    """As long as the file of a machine with other sizes: 128 locations of 40 cells, 10 inputs, 8 outputs, one head."""
    vector = np.zeros(programs.fumin_length(10, 8, 100, 1, 128, 40))
    with pytest.raises(UnansweredError):
        imported(Contents("json", list(vector), {}))
