import io
import pickle
from typing import Any

import numpy as np
import pytest

from ntm_core.checkpoints.containers import flatten, open_container
from ntm_core.errors import CheckpointError
from tests.core.containers.builders import array_pickle, npy, object_array


def saved(array: Any, version: tuple[int, int] | None = None) -> bytes:
    """What numpy itself writes."""
    file = io.BytesIO()
    if version is None:
        np.save(file, array, allow_pickle=True)
    else:
        np.lib.format.write_array(file, array, version)
    return file.getvalue()


@pytest.mark.parametrize("version", [None, (1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", ">f4", "<f2", "<i8", ">i4", "<u2", "|i1", "|b1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_of_numbers(dtype: str, order: Any, version: tuple[int, int] | None) -> None:
    array = np.array([[0, 1, 1], [1, 0, 1]], dtype, order=order)
    container = open_container(saved(array, version))
    assert container.kind == "npy"
    assert container.root.dtype == (np.float64 if dtype[1:] == "f8" else np.float32)
    np.testing.assert_array_equal(container.root, array)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 1, 3)])
def test_an_array_of_any_shape(shape: tuple[int, ...]) -> None:
    array = np.ones(shape)
    assert open_container(saved(array)).root.shape == shape


def test_an_array_of_objects_as_python_3_writes_it() -> None:
    items = [np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3).T, np.array([], np.float32), 0.5, None]
    array = np.empty(len(items), object)
    array[:] = items
    root = open_container(saved(array)).root
    for found, expected in zip(root[:3], items[:3], strict=True):
        np.testing.assert_array_equal(found, expected)
        assert found.flags.c_contiguous
    assert root[3:] == [0.5, None]
    assert list(flatten(root)) == ["0", "1", "2"]


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_arrays_in_a_plain_pickle(protocol: int) -> None:
    arrays = {
        "a": np.arange(3.0),
        "none": np.zeros((0, 2)),
        "truth": np.array([True]),
        "half": np.float16(0.5),
        "n": np.int64(-3),
    }
    root = open_container(pickle.dumps(arrays, protocol)).root
    for name in ("a", "none", "truth"):
        np.testing.assert_array_equal(root[name], arrays[name])
    assert (root["half"], root["n"]) == (0.5, -3)
    assert [type(root[name]) for name in ("half", "n")] == [float, int]


def archive_of(*arrays: np.ndarray, **named: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, *arrays, **named)  # type: ignore[arg-type]
    return file.getvalue()


def test_an_archive_of_arrays_is_read_by_their_names() -> None:
    arrays = {"controller/w": np.arange(6.0).reshape(2, 3), "b": np.ones(2, np.float16), "step": np.array(3)}
    container = open_container(archive_of(**arrays))
    assert container.kind == "npz"
    assert list(container.root) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(container.root[name], array)


def test_arrays_that_were_saved_without_names_are_a_list_in_their_order() -> None:
    """As the parameters of a network of Lasagne's are saved."""
    arrays = [np.full(size, float(size)) for size in range(1, 13)]
    root = open_container(archive_of(*arrays)).root
    assert [array.tolist() for array in root] == [array.tolist() for array in arrays]
    mixed = open_container(archive_of(arrays[0], other=arrays[1])).root
    assert sorted(mixed) == ["arr_0", "other"]


def test_a_compressed_archive_says_how_to_save_it() -> None:
    file = io.BytesIO()
    np.savez_compressed(file, np.zeros(99))
    with pytest.raises(CheckpointError, match=r"only archives without compression are read, as torch and np\.savez"):
        open_container(file.getvalue())


def test_an_array_of_objects_as_python_2_wrote_it() -> None:
    data = npy(object_array(array_pickle((1, 2)), array_pickle((3,))), shape="(2L,)")
    found = open_container(data)
    assert [array.shape for array in found.root] == [(1, 2), (3,)]
    assert found.notes.stored_dtypes == ("float64",)
    np.testing.assert_array_equal(found.root[1], [0, 1, 2])
