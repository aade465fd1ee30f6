import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_core.checkpoints.containers import ContainerLimits
from ntm_core.checkpoints.containers.storages import Storage, Tensors, View, check_view, gapless_strides
from ntm_core.errors import CheckpointError

SMALL = st.integers(-1, 5)


def places(view: View) -> list[int]:
    """Where each element of a view lies, counted out one by one."""
    return [
        view.offset + sum(index * stride for index, stride in zip(indices, view.strides, strict=True))
        for indices in itertools.product(*(range(size) for size in view.shape))
    ]


@given(count=st.integers(0, 30), offset=st.integers(-2, 12), axes=st.lists(st.tuples(SMALL, SMALL), max_size=4))
def test_a_view_is_admitted_only_if_each_element_has_its_own_place(
    count: int, offset: int, axes: list[tuple[int, int]]
) -> None:
    view = View(Storage("float32", count), offset, tuple(size for size, _ in axes), tuple(stride for _, stride in axes))
    try:
        elements = check_view(view, "'a'")
    except CheckpointError:
        return
    found = places(view)
    assert len(found) == elements == len(set(found))
    assert all(0 <= place < count for place in found)


@given(shape=st.lists(st.integers(1, 4), max_size=4), offset=st.integers(0, 5), order=st.randoms())
def test_every_transposed_part_of_an_array_is_admitted(shape: list[int], offset: int, order: object) -> None:
    strides, elements = gapless_strides(tuple(shape))
    axes = list(zip(shape, strides, strict=True))
    order.shuffle(axes)  # type: ignore[attr-defined]
    sizes, steps = tuple(size for size, _ in axes), tuple(step for _, step in axes)
    numbers = np.arange(offset + elements, dtype="<f4")
    view = View(Storage("float32", len(numbers), numbers.tobytes()), offset, sizes, steps)
    array = Tensors(ContainerLimits()).array(view, "'a'")
    assert isinstance(array, np.ndarray)
    assert array.shape == sizes
    assert array.ravel().tolist() == places(view)


@pytest.mark.parametrize("fortran_order", [False, True])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4), (2, 0, 3)])
def test_gapless_strides_are_those_of_numpy(shape: tuple[int, ...], fortran_order: bool) -> None:
    strides, elements = gapless_strides(shape, fortran_order=fortran_order)
    array = np.empty(shape, np.int8, order="F" if fortran_order else "C")
    assert elements == array.size
    if elements:
        assert strides == array.strides


def test_the_elements_of_all_tensors_are_limited_together() -> None:
    tensors = Tensors(ContainerLimits(max_elements=5))
    storages = [Storage("float32", 3, bytes(12)) for _ in range(2)]
    tensors.array(View(storages[0], 0, (3,), (1,)), "'a'")
    tensors.array(View(storages[0], 0, (3,), (1,)), "'b'")
    with pytest.raises(CheckpointError, match="with tensor 'c' the file's tensors have 6 elements: the limit is 5"):
        tensors.array(View(storages[1], 0, (3,), (1,)), "'c'")
