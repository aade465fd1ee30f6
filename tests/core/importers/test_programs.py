"""Every importer's machine computes what the program computes, in float64, on random files of every layout."""

from collections.abc import Mapping

import numpy as np
import pytest

from ntm_core.checkpoints.importers import Candidate, Contents, Import, Wishes, import_contents
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
