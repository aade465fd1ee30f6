"""The detective finds the convention that a file's numbers were trained with."""

import numpy as np
import pytest

from ntm_core.checkpoints.containers import open_container
from ntm_core.checkpoints.importers import Candidate, Contents, Encoding, Wishes, import_contents, investigate
from ntm_core.config import MachineConfig
from ntm_core.hand_compiled import hand_compiled_copy
from ntm_core.machine import Machine
from tests.core.golden import PEERS, peers_are_absent

COPY = Encoding.ours({"name": "copy", "bits": 3, "lengths": (1, 6)})
RECALL = Encoding.ours({"name": "associative_recall", "bits": 2})

with_peers = pytest.mark.skipif(peers_are_absent() is not None, reason=peers_are_absent() or "")


def candidate(variant: str, machine: Machine, *encodings: Encoding, **choices: object) -> Candidate:
    config = MachineConfig.make(**{**machine.config.model_dump(), **choices})
    tensors = {name: value.numpy() for name, value in machine.state_dict().items()}
    return Candidate(variant, variant, config, tensors, encodings)


def test_the_right_convention_has_the_smallest_loss() -> None:
    machine = hand_compiled_copy(bits=3, memory_size=16)
    findings = investigate(
        [
            candidate("positive keys", machine, COPY, key_activation="sigmoid"),
            candidate("soft", machine, COPY, sharpening_epsilon=0.3),
            candidate("right", machine, COPY),
        ]
    )
    assert [finding.variant for finding in findings] == ["right", "soft", "positive keys"]
    assert [finding.solves for finding in findings] == [True, False, False]
    assert [finding.loss for finding in findings] == sorted(finding.loss for finding in findings)


def test_a_machine_that_breaks_is_last() -> None:
    machine = hand_compiled_copy(bits=3, memory_size=16)
    broken = candidate("broken", machine, COPY, similarity="dot")
    tensors = {**broken.tensors, "output.bias": np.full(3, 1e38, np.float32)}
    tensors["output.weight"] = np.full_like(broken.tensors["output.weight"], 3e38)
    overflowing = Candidate("broken", "broken", broken.config, tensors, (COPY,))
    findings = investigate([overflowing, candidate("right", machine, COPY)])
    assert [finding.variant for finding in findings] == ["right", "broken"]
    assert findings[1].loss == np.inf
    assert findings[1].sequences < findings[0].sequences


def test_later_tasks_are_tried_only_if_no_first_one_is_known() -> None:
    machine = hand_compiled_copy(bits=3, memory_size=16)
    upside_down = Encoding.ours({"name": "repeat_copy", "bits": 2})
    knows = investigate([candidate("copy first", machine, COPY, upside_down)])
    searches = investigate([candidate("copy second", machine, upside_down, COPY)])
    assert [finding.encoding for finding in knows] == ["copy"]
    assert [finding.encoding for finding in searches] == ["copy", "repeat_copy"]


def test_what_takes_too_long_is_not_tried() -> None:
    machine = hand_compiled_copy(bits=3, memory_size=1 << 15)
    assert investigate([candidate("huge", machine, COPY)]) == ()
    assert investigate([candidate("no task", hand_compiled_copy(3, 16))]) == ()


@with_peers
@pytest.mark.parametrize(
    ("file", "variant", "encoding"),
    [
        ("clemkoa-copy.pt", "shared_previous", "copy"),
        ("fumin-copy-seed2.json", "only", "copy_with_start_and_end"),
        ("fumin-repeatcopy-seed11.json", "only", "repeat_copy_with_binary_count"),
        ("lasagne-associative-recall.npy", "relu", "associative_recall_with_varied_items"),
        ("lasagne-copy.npy", "relu", "copy_with_end_marker"),
        ("loudinthecloud-copy-head-warm600.model", "current", "copy"),
        ("loudinthecloud-copy-hist1.model", "relu", "copy"),
        ("vlgiitr-associative.pt", "only", "associative_recall"),
        ("vlgiitr-copy.pt", "only", "copy_with_start_and_end"),
    ],
)
def test_every_trained_file_is_found_to_know_its_task(file: str, variant: str, encoding: str) -> None:
    found = import_contents(Contents.of(open_container((PEERS / "checkpoints" / file).read_bytes())))
    assert found.encoding is not None
    assert (found.chosen.variant, found.encoding.name) == (variant, encoding)
    assert found.ranking[0].solves


@with_peers
def test_the_losses_overrule_a_container_that_misleads() -> None:
    """A file of the early code that somebody saved again with a later torch no longer tells its age."""
    contents = Contents.of(open_container((PEERS / "checkpoints" / "loudinthecloud-copy-hist1.model").read_bytes()))
    saved_again = Contents("torch_zip", contents.root, contents.tensors, ())
    assert import_contents(saved_again, detect=False).chosen.variant == "current"
    assert import_contents(saved_again).chosen.variant == "relu"


@with_peers
def test_an_untrained_file_keeps_the_likeliest_variant() -> None:
    file = PEERS / "checkpoints" / "loudinthecloud-randinit-2heads-2layers.model"
    found = import_contents(Contents.of(open_container(file.read_bytes())), Wishes(encoding="copy"))
    assert found.chosen.variant == "current"
    assert "no candidate knows a task" in found.reason
