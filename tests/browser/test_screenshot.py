"""The README's picture, made from the real page; `make screenshot` puts it in its place."""

import pytest

from tests.browser.conftest import OUTPUT, OpenTab
from tests.browser.page import copying, fragment

pytestmark = pytest.mark.browser


def test_the_main_view_has_its_picture_taken(new_tab: OpenTab) -> None:
    tab = new_tab(viewport={"width": 1440, "height": 1000})
    tab.open(fragment("copy-lstm", task=copying(20), seed=0, t=28))
    for plot in ("weighting-write-0", "weighting-read-0", "input"):
        tab.drawn(plot)
    tab.page.wait_for_timeout(1500)
    OUTPUT.mkdir(exist_ok=True)
    picture = OUTPUT / "main-view.png"
    tab.page.screenshot(path=picture)
    assert picture.stat().st_size > 50_000
