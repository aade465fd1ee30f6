"""The checks themselves: what the test configuration promises to check is checked."""

import pytest
import torch
from jaxtyping import TypeCheckError

from ntm_core.addressing import content_weighting


def test_a_shape_that_breaks_its_signature_is_refused() -> None:
    with pytest.raises(TypeCheckError, match="key_strength"):
        content_weighting(torch.zeros(2, 3, 5), torch.zeros(2, 4))
