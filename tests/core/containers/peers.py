"""Files that other programs published. They are not part of this project: tests that need them skip without them."""

import os
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).resolve().parents[3]
PEERS = Path(os.environ.get("NTM_SCOPE_PEERS", _CHECKOUT.parent / "shared" / "peers"))
"""The folder with `checkpoints/` and `golden/`: beside the checkout, or where the environment says."""


def peer_file(name: str) -> Path:
    """The path of a published checkpoint; skips the test where there is none."""
    path = PEERS / "checkpoints" / name
    if not path.is_file():
        pytest.skip(f"the published checkpoint {name} is not in {PEERS}")
    return path
