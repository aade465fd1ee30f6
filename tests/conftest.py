"""What every test needs."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

from tests.browser.chromium import find_chromium

CHECKOUT = Path(__file__).parents[1]


def modules_with_shapes() -> list[str]:
    """The modules of the core whose signatures tell the shapes of tensors."""
    files = (CHECKOUT / "ntm_core").rglob("*.py")
    found = (path for path in files if "from jaxtyping import" in path.read_text(encoding="utf-8"))
    return [".".join(path.relative_to(CHECKOUT).with_suffix("").parts) for path in found]


# Those shapes are checked at every call. Other modules are left alone: beartype cannot judge `Self` in a method that is
# decorated without its class.
install_import_hook(modules_with_shapes(), "beartype.beartype")

# One thread: small matrices gain nothing from more, and pytest's workers would fight over the cores.
torch.set_num_threads(1)

# The same examples in every run, so a red suite is red again; `--hypothesis-profile=explore` looks for new ones.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", settings.get_profile("steady"), derandomize=False, max_examples=2000)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's executable, for Playwright's `launch(executable_path=…)`."""
    found = find_chromium()
    assert found, "No Chromium found: `make test` installs one, and so does `python -m tests.browser.chromium`."
    return found
