"""A person's own file: by button and by drop, good and bad; and a server that has gone."""

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.page import ScopePage
from tests.browser.processes import ServerProcess

pytestmark = pytest.mark.browser

UPLOADED = re.compile("upload-[0-9a-f]{12}")

DROP = """([bytes, name]) => {
    const data = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([data], name));
    for (const type of ['dragenter', 'dragover', 'drop']) {
        document.body.dispatchEvent(new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: transfer}));
    }
}"""


def test_an_uploaded_file_opens_and_can_be_deleted(tab: ScopePage, hand_compiled_file: Path) -> None:
    tab.open()
    tab.page.locator("#upload").set_input_files(hand_compiled_file)
    expect(tab.page.locator("#model")).to_have_value(UPLOADED)
    tab.recorded()
    expect(tab.page.locator("#result")).to_contain_text("0 / ")
    tab.page.on("dialog", lambda dialog: dialog.accept())
    tab.page.get_by_role("button", name="Delete").first.click()
    confirm = tab.page.get_by_role("dialog").get_by_role("button", name="Delete")
    if confirm.count():
        confirm.click()
    expect(tab.page.locator("#model")).to_have_value("copy-lstm")


def test_a_dropped_file_opens(tab: ScopePage, hand_compiled_file: Path) -> None:
    tab.open()
    tab.page.evaluate(DROP, [base64.b64encode(hand_compiled_file.read_bytes()).decode(), "dropped.safetensors"])
    expect(tab.page.locator("#model")).to_have_value(UPLOADED)
    tab.recorded()


def test_a_model_that_another_tab_has_deleted_gives_way_to_the_first(tab: ScopePage, hand_compiled_file: Path) -> None:
    tab.open()
    tab.page.locator("#upload").set_input_files(hand_compiled_file)
    expect(tab.page.locator("#model")).to_have_value(UPLOADED)
    tab.recorded()
    tab.page.request.delete(f"{tab.base}/api/checkpoints/{tab.page.locator('#model').input_value()}")
    tab.page.get_by_role("button", name="Next seed").click()
    expect(tab.page.locator("#notices")).to_contain_text("is no longer on this server; 'copy-lstm' is shown")
    expect(tab.page.locator("#model")).to_have_value("copy-lstm")
    tab.recorded()
    tab.problems = [problem for problem in tab.problems if "404" not in problem]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.safetensors", b"\x80\x02not a checkpoint", "the pickle has the instruction 0x6e at byte 2: not allowed"),
        ("b.pt", b"PK\x03\x04", "the archive is cut off"),
    ],
)
def test_a_bad_file_is_refused_in_the_servers_words_and_loses_nothing(
    tab: ScopePage, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    bad = tmp_path / name
    bad.write_bytes(content)
    tab.open()
    tab.page.locator("#upload").set_input_files(bad)
    banner = tab.page.locator("#upload-area .banner-error")
    expect(banner).to_contain_text(f"'{name}' was not accepted: {reason}")
    expect(tab.page.locator("#result")).to_contain_text("wrong bits")
    tab.problems = [problem for problem in tab.problems if "422" not in problem]


def test_a_server_that_has_gone_is_said_and_found_again(new_tab: OpenTab, tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as first:
        tab = new_tab(base=first.url)
        tab.open()
        port = first.port
    tab.page.get_by_role("button", name="Next seed").click()
    alert = tab.page.get_by_role("alert").filter(has_text="does not answer")
    expect(alert).to_be_visible()
    with ServerProcess(tmp_path, port):
        alert.get_by_role("button", name="Try again").click()
        expect(alert).to_be_hidden()
        tab.recorded()
    tab.problems = [problem for problem in tab.problems if "ERR_CONNECTION" not in problem]
