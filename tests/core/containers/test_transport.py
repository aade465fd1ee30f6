import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_core.checkpoints.containers import Container, Notes, Record, Unread
from ntm_core.checkpoints.containers.transport import pack, unpack

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
KEYS = st.text(max_size=5) | st.integers(-100, 100)
ROOTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.builds(Unread, st.text(max_size=5), st.booleans())
        | st.builds(Record, st.text(max_size=5), st.dictionaries(st.text(max_size=5), inner, max_size=4))
    ),
    max_leaves=20,
)


def through_json(container: Container) -> Container:
    document, arrays = pack(container)
    return unpack(json.loads(json.dumps(document, allow_nan=False)), arrays)


def shape_of(value: Any) -> Any:
    """A value in which equality is that of everything but arrays."""
    if isinstance(value, Record):
        return ("record", value.class_name, shape_of(value.fields))
    if isinstance(value, dict):
        return ("dict", [(key, shape_of(item)) for key, item in value.items()])
    if isinstance(value, list | tuple):
        return (type(value).__name__, [shape_of(item) for item in value])
    return repr(value)


@given(ROOTS)
def test_every_root_comes_back(root: Any) -> None:
    notes = Notes(("f",), True, ("float32",), ("a.B",), 2, ("a date",))
    found = through_json(Container("pickle", root, notes, {"a": "b"}))
    assert shape_of(found.root) == shape_of(root)
    assert (found.kind, found.notes, found.metadata) == ("pickle", notes, {"a": "b"})


def test_arrays_go_beside_the_document_once_each() -> None:
    one, other = np.arange(3.0), np.ones((2, 2), np.float32)
    root = {"a": one, "b": [other, one], "c": Record("m", {"w": other})}
    document, arrays = pack(Container("pickle", root))
    assert len(arrays) == 2
    found = unpack(json.loads(json.dumps(document)), arrays).root
    assert found["a"] is found["b"][1] is one
    assert found["b"][0] is found["c"].fields["w"] is other


def test_what_no_root_holds_is_not_packed() -> None:
    with pytest.raises(TypeError, match="a root holds no complex"):
        pack(Container("pickle", [1j]))
    with pytest.raises(ValueError, match="nothing called 'call'"):
        unpack({"kind": "pickle", "root": {"call": 1}, "notes": {}, "metadata": {}}, [])


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_numbers_that_json_lacks(value: float) -> None:
    assert repr(through_json(Container("pickle", value)).root) == repr(value)
