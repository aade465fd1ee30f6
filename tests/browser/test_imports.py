"""Files of other programs, as a person brings them: dropped, asked about, read another way; and recorded traces."""

import base64
import io
import json
import re

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from ntm_core.hand_compiled import hand_compiled_copy
from ntm_core.recording import record
from ntm_core.tasks import Copy
from ntm_core.trace_file import trace_bytes
from tests.browser.page import ScopePage
from tests.browser.test_uploads import DROP
from tests.core.golden import CHECKPOINTS, PEERS, peers_are_absent
from tests.core.importers import programs

pytestmark = pytest.mark.browser

with_peers = pytest.mark.skipif(peers_are_absent() is not None, reason=peers_are_absent() or "")

UPLOADED = re.compile("upload-[0-9a-f]{12}")


def drop(tab: ScopePage, name: str, data: bytes) -> None:
    tab.page.evaluate(DROP, [base64.b64encode(data).decode(), name])


def torch_file(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def rs9000_file() -> bytes:
    tensors = programs.rs9000_file()
    return torch_file({name: torch.from_numpy(value.astype(np.float32)) for name, value in tensors.items()})


@with_peers
@pytest.mark.parametrize("file", sorted(set(CHECKPOINTS.values())))
def test_every_file_of_the_peers_opens_by_drop_and_scrubs(tab: ScopePage, file: str) -> None:
    tab.open()
    drop(tab, file, (PEERS / "checkpoints" / file).read_bytes())
    expect(tab.page.locator("#model")).to_have_value(UPLOADED)
    tab.recorded()
    if "randinit" not in file:
        expect(tab.page.locator("#result")).to_contain_text("0 / ")
    steps = int(tab.page.locator("#step").get_attribute("max") or 0) + 1
    arrays = json.loads(tab.page.evaluate(TRACE_ON_SCREEN))
    for t in (1, steps // 2, steps):
        tab.go_to(t)
        for name in arrays:
            assert tab.number(name) == pytest.approx(arrays[name][t - 1][0], rel=1e-7)
    tab.page.locator("#about-model").click()
    about = tab.page.get_by_role("dialog", name="About this model")
    expect(about).to_contain_text("Where it comes from")
    expect(about).to_contain_text("Assumed")
    expect(about.get_by_role("region", name="Conventions")).to_contain_text("similarity")


TRACE_ON_SCREEN = """async () => {
    const {task, seed, checkpoint} = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    const settings = task ? JSON.parse(task.replaceAll("'", '"')) : null;
    const answer = await fetch('/api/traces?format=json', {
        method: 'POST', headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({checkpoint, task: settings, seed: Number(seed)}),
    });
    const {step} = await answer.json();
    const names = ['key_strength', 'interpolation_gate', 'sharpening'];
    return JSON.stringify(Object.fromEntries(names.map((name) => [name, step[name]])));
}"""


def test_a_start_that_is_drawn_at_random_has_a_seed_to_set(tab: ScopePage) -> None:
    tab.open()
    drop(tab, "theirs.pt", rs9000_file())
    expect(tab.page.locator("#model")).to_have_value(UPLOADED)
    tab.recorded()
    start = tab.page.locator("#initial-seed")
    expect(start).to_have_value("0")
    before = tab.number("key_strength")
    start.fill("5")
    start.press("Enter")
    expect(tab.page).to_have_url(re.compile("start=5"))
    tab.recorded()
    expect(tab.page.locator('.inspector [data-number="key_strength"]')).not_to_have_text(str(before))


def test_a_file_that_leaves_something_open_is_asked_about(tab: ScopePage) -> None:
    sizes = {"input_size": 9, "output_size": 8, "controller_size": 5, "heads": 1, "memory_size": 16, "word_size": 3}
    numbers = np.random.RandomState(0).normal(size=programs.fumin_length(9, 8, 5, 1, 16, 3)).tolist()
    tab.open()
    drop(tab, "numbers.json", json.dumps(numbers).encode())
    form = tab.page.locator(".upload-asking form")
    for name, value in sizes.items():
        form.locator(f'[name="{name}"]').fill(str(value))
    form.get_by_role("button", name="Open").click()
    expect(tab.page.locator("#model")).to_have_value(UPLOADED)
    tab.recorded()
    tab.problems = [problem for problem in tab.problems if "422" not in problem]


def test_a_file_of_unknown_layout_is_told_what_is_near(tab: ScopePage) -> None:
    tab.open()
    drop(tab, "mine.pt", torch_file({"heads.0.key_fc.weight": torch.zeros(2, 3)}))
    banner = tab.page.locator("#upload-area .banner-error")
    expect(banner).to_contain_text("the nearest is vlgiitr/ntm-pytorch")
    expect(banner).to_contain_text("'heads.0.key_fc.weight' (2, 3)")
    expect(tab.page.locator("#model")).to_have_value("copy-lstm")
    tab.problems = [problem for problem in tab.problems if "422" not in problem]


def test_a_person_reads_a_file_another_way(tab: ScopePage) -> None:
    tab.open()
    drop(tab, "theirs.pt", rs9000_file())
    expect(tab.page.locator("#model")).to_have_value(UPLOADED)
    tab.recorded()
    before = tab.number("sharpening")
    tab.page.locator("#about-model").click()
    about = tab.page.get_by_role("dialog", name="About this model")
    about.get_by_text("Single conventions").click()
    about.locator('[name="sharpening activation"]').select_option("relu")
    about.get_by_role("button", name="Read the file again").click()
    expect(tab.page.locator("#notices")).to_contain_text("is read as wished")
    tab.recorded()
    expect(tab.page.locator('.inspector [data-number="sharpening"]')).not_to_have_text(str(before))
    tab.page.locator("#about-model").click()
    expect(about).to_contain_text("sharpening_activation = 'relu', as wished")


def test_a_recorded_trace_opens_in_every_view_that_needs_no_run(tab: ScopePage) -> None:
    trace = record(hand_compiled_copy(memory_size=16), Copy(lengths=(5, 5)).episodes(2))
    tab.open()
    drop(tab, "theirs.npz", trace_bytes(trace))
    expect(tab.page.locator("#model")).to_have_value(re.compile("trace-[0-9a-f]{12}"))
    tab.recorded()
    for t in (1, 7, 11):
        tab.go_to(t)
        assert tab.number("sharpening") == pytest.approx(float(trace["sharpening"][t - 1, 0]), rel=1e-7)
    shown = tab.settled_figure("memory-after")["data"][0]["z"]
    assert np.array_equal(np.array(shown, np.float32), trace.memory[11])
    for control in ("#task", "#seed", "#edit-input"):
        expect(tab.page.locator(control)).to_be_disabled()
    expect(tab.page.locator("#edit-input")).to_have_attribute("title", re.compile("cannot be run again"))
    tab.page.locator("#about-model").click()
    expect(tab.page.get_by_role("dialog", name="About this model")).to_contain_text("recorded elsewhere")
