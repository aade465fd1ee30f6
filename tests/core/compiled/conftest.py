"""Tests of the compiled core need numba; it is compiled once, before the first of them."""

import pytest

from ntm_core.compiled import is_available
from ntm_core.machine import warm_up


@pytest.fixture(autouse=True, scope="package")
def _compiled() -> None:
    assert is_available(), "the tests need the extra 'fast'"
    warm_up()
