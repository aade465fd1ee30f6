"""Which importer reads a file, what it asks, what can be wished, and what is refused."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_core.checkpoints.containers import open_container
from ntm_core.checkpoints.importers import Contents, UnansweredError, Wishes, import_contents, registry
from ntm_core.checkpoints.native import CheckpointLimits
from ntm_core.config import MachineConfig
from ntm_core.errors import CheckpointError
from ntm_core.machine import Machine
from tests.core.importers import programs
from tests.core.importers.kernel import Numbers

FUMIN_SIZES = {
    "input_size": 5,
    "output_size": 3,
    "controller_size": 6,
    "heads": 2,
    "memory_size": 7,
    "word_size": 4,
}


def named(tensors: Mapping[str, Numbers]) -> Contents:
    return Contents("torch_zip", dict(tensors), dict(tensors))


def listed(arrays: list[Numbers]) -> Contents:
    return Contents("npy", arrays, {str(index): array for index, array in enumerate(arrays)})


def numbers(vector: Numbers) -> Contents:
    return Contents("json", vector, {"": vector})


def fumin_vector() -> Numbers:
    return np.random.RandomState(2).standard_normal(programs.fumin_length(*FUMIN_SIZES.values()))


def own_tensors(**choices: object) -> dict[str, Numbers]:
    sizes = {"input_size": 4, "output_size": 3, "memory_size": 9, "word_size": 5, "controller_size": 6}
    machine = Machine(MachineConfig.make(**{**sizes, **choices}), seed=2)
    return {name: value.double().numpy() for name, value in machine.state_dict().items()}


FILES: dict[str, Callable[[], dict[str, Numbers]]] = {
    "loudinthecloud": lambda: programs.loudinthecloud_file(("read", "write", "read", "write"), 2),
    "vlgiitr": lambda: programs.vlgiitr_file(2),
    "clemkoa": programs.clemkoa_file,
    "rs9000": programs.rs9000_file,
    "own_state_dict": own_tensors,
}


@pytest.mark.parametrize("prefix", ["", "module.", "model.net."])
@pytest.mark.parametrize("family", FILES)
def test_a_file_is_recognised_by_its_keys(family: str, prefix: str) -> None:
    tensors = {f"{prefix}{name}": array for name, array in FILES[family]().items()}
    found = import_contents(named(tensors), detect=False)
    assert found.importer == family
    assert found.chosen.inferred
    assert all("plays no part" not in warning for warning in found.chosen.warnings)
    json.dumps(found.about(), allow_nan=False)


DAMAGES: tuple[Callable[[Numbers], Numbers | None], ...] = (
    lambda _array: None,
    lambda array: array.T if array.ndim == 2 and len(set(array.shape)) == 2 else array[:-1],
    lambda array: np.concatenate([array, array]),
    lambda array: array[:0],
    lambda array: array[None, None],
)
"""A tensor that is missing, turned, too long, empty, or deeper than it should be."""


@pytest.mark.parametrize("family", FILES)
def test_a_damaged_tensor_is_refused_or_plays_no_part(family: str) -> None:
    """Each tensor in one way: whatever happens, it is not another error."""
    sound, refused = FILES[family](), 0
    for index, name in enumerate(sound):
        damaged = DAMAGES[index % len(DAMAGES)](sound[name])
        tensors = {key: value for key, value in sound.items() if key != name}
        if damaged is not None:
            tensors[name] = damaged
        try:
            import_contents(named(tensors), detect=False)
        except CheckpointError:
            refused += 1
    assert refused > 0.7 * len(sound)


@pytest.mark.parametrize("controller", list(programs.GATES))
def test_a_damaged_list_is_refused(controller: str) -> None:
    sound = programs.lasagne_file(controller)
    for index in range(len(sound)):
        for arrays in (
            sound[:index] + sound[index + 1 :],
            [*sound[:index], sound[index].T[:-1], *sound[index + 1 :]],
            [*sound[:index], sound[index][:0], *sound[index + 1 :]],
        ):
            with pytest.raises(CheckpointError):
                import_contents(listed(arrays), detect=False)


def test_a_list_says_what_hindered_each_controller() -> None:
    arrays = programs.lasagne_file("gru")[:-1]
    with pytest.raises(CheckpointError, match=r"as feedforward array .* as lstm array 1 \(c_0\)"):
        import_contents(listed(arrays), detect=False)


def test_signed_keys_are_refused_with_a_reason() -> None:
    arrays = programs.lasagne_file("dense")
    sign = [np.ones((6, 4)), np.ones(4)]
    with pytest.raises(CheckpointError, match="sign of a key"):
        import_contents(listed([*arrays[:7], *sign, *arrays[7:]]), detect=False)


def test_an_unknown_layout_lists_what_was_found_and_what_is_missing() -> None:
    tensors = programs.vlgiitr_file(1)
    del tensors["memory.memory_bias_fc.bias"]
    with pytest.raises(CheckpointError) as refused:
        import_contents(named(tensors))
    message = str(refused.value)
    assert "the nearest is vlgiitr/ntm-pytorch, of which memory.memory_bias_fc.bias is missing" in message
    assert "'controller.controller_net.weight_hh' (24, 6)" in message


def test_a_file_that_is_like_nothing_says_so() -> None:
    many = {f"layer{index}.weight": np.zeros((2, 3)) for index in range(60)}
    with pytest.raises(
        CheckpointError, match=r"none is near\); the file holds 'layer0\.weight' \(2, 3\).* and 20 more"
    ):
        import_contents(named(many))


def test_rs9000_asks_for_n() -> None:
    contents = named(programs.rs9000_file())
    plain = import_contents(contents, detect=False)
    assert [(question.name, question.default) for question in plain.questions] == [("memory_size", 64)]
    assert plain.chosen.config.memory_size == 64
    asked = import_contents(contents, Wishes(answers={"memory_size": 16}), detect=False)
    assert asked.chosen.config.memory_size == 16
    with pytest.raises(CheckpointError, match="memory_size is 0: it must be a whole number of 1 … 65536"):
        import_contents(contents, Wishes(answers={"memory_size": 0}))
    with pytest.raises(CheckpointError, match=r"\['rows'\] answer no question"):
        import_contents(contents, Wishes(answers={"rows": 4}))


def test_a_list_of_numbers_asks_for_all_sizes_unless_its_length_is_known() -> None:
    vector = fumin_vector()
    with pytest.raises(UnansweredError, match=r"does not tell all .* input_size .* word_size") as refused:
        import_contents(numbers(vector))
    assert [question.name for question in refused.value.questions] == list(FUMIN_SIZES)
    with pytest.raises(CheckpointError, match=r"but 6 inputs, .* make"):
        import_contents(numbers(vector), Wishes(answers={**FUMIN_SIZES, "input_size": 6}))
    assert import_contents(numbers(vector), Wishes(answers=FUMIN_SIZES), detect=False).chosen.config.read_heads == 2


@pytest.mark.parametrize(
    ("length", "sizes"),
    [
        (13060, (10, 8, 100, 1, 128, 20)),
        (21551, (10, 7, 100, 2, 128, 20)),
        (11453, (1, 1, 100, 1, 128, 20)),
        (3624666, (3003, 3002, 512, 8, 128, 32)),
    ],
)
def test_the_lengths_of_the_programs_own_tasks_are_known(length: int, sizes: tuple[int, ...]) -> None:
    assert programs.fumin_length(*sizes) == length
    found = import_contents(numbers(np.full(length, 0.01)), detect=False)
    config = found.chosen.config
    assert (config.input_size, config.output_size, config.controller_size) == sizes[:3]
    assert (config.read_heads, config.memory_size, config.word_size) == sizes[3:]
    assert config.output_activation == ("softmax" if length == 3624666 else "sigmoid")


def test_a_machine_beyond_the_limits_is_refused() -> None:
    contents, wishes = named(programs.rs9000_file()), Wishes(answers={"memory_size": 65536})
    with pytest.raises(CheckpointError, match="65536 x word_size 4 is 262144 cells, more than the limit of 1000"):
        import_contents(contents, wishes, CheckpointLimits(max_memory_cells=1000))


def test_variant_task_and_choices_can_be_wished() -> None:
    contents = named(programs.clemkoa_file())
    wishes = Wishes(variant="shared_previous", encoding="copy", choices={"erase_activation": "hard_sigmoid"})
    found = import_contents(contents, wishes)
    assert found.chosen.variant == "shared_previous"
    assert found.encoding is not None
    assert found.encoding.name == "copy"
    assert found.checkpoint().config.erase_activation == "hard_sigmoid"
    assert "erase_activation = 'hard_sigmoid', as wished" in found.chosen.assumed
    assert {finding.variant for finding in found.ranking} == {"shared_previous"}
    assert found.reason == "as wished"


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (Wishes(importer="tensorflow"), "there is no importer 'tensorflow': there are loudinthecloud, vlgiitr"),
        (Wishes(variant="other"), "no variant 'other' of this file: there are own_previous, shared_previous"),
        (Wishes(encoding="sort"), "no encoding 'sort' for this file: there are copy"),
        (Wishes(choices={"erase_activation": "tanh"}), "erase_activation is 'tanh'"),
        (Wishes(choices={"word_size": 3}), "has shape"),
        (Wishes(importer="vlgiitr"), "tensor '.*' is missing"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(wishes: Wishes, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        import_contents(named(programs.clemkoa_file()), wishes)


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"controller": "gru", "read_heads": 2, "write_heads": 3},
        {"controller": "recurrent", "shift_range": 2},
        {"controller": "feedforward", "controller_layers": 2},
        {"shift_kernel": "fractional", "initial_memory": "learned"},
        {"initial_controller": "zeros", "initial_weighting": "given"},
    ],
    ids=str,
)
def test_a_plain_state_dict_of_ours_gives_the_same_machine(choices: dict[str, object], tmp_path: Path) -> None:
    sizes = {"input_size": 4, "output_size": 3, "memory_size": 9, "word_size": 5, "controller_size": 6}
    config = MachineConfig.make(**{**sizes, **choices})
    machine = Machine(config, seed=2)
    path = tmp_path / "state.pt"
    torch.save(machine.state_dict(), path)
    found = import_contents(Contents.of(open_container(path.read_bytes())), detect=False)
    assert found.importer == "own_state_dict"
    assert found.questions == ()
    assert found.chosen.config == config
    assert torch.equal(found.checkpoint().tensors["heads.weight"], machine.heads.weight)


def test_a_plain_state_dict_without_initial_state_asks_for_sizes() -> None:
    tensors = own_tensors(initial_weighting="one_hot", initial_read="zeros")
    contents = named(tensors)
    sizes = {"memory_size": 9, "word_size": 5, "read_heads": 1}
    found = import_contents(contents, Wishes(answers=sizes), detect=False)
    assert {question.name for question in found.questions} == set(sizes)
    assert found.chosen.config.memory_size == 9


def test_a_config_beside_the_state_dict_decides() -> None:
    tensors = own_tensors(similarity="pearson")
    config = {"input_size": 4, "output_size": 3, "memory_size": 9, "word_size": 5, "controller_size": 6}
    root = {"state_dict": tensors, "config": {**config, "similarity": "pearson"}}
    found = import_contents(Contents("torch_zip", root, tensors), detect=False)
    assert found.chosen.config.similarity == "pearson"
    assert found.chosen.assumed == ()


# --- importers of third parties -----------------------------------------------------------------------------------

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
THEIR_MODULE = README.partition("<!-- importer -->\n```python\n")[2].partition("```")[0]


def their_file() -> dict[str, Numbers]:
    make, word, size = programs.draw(1), 4, 6
    shapes = {"brain.weight_ih": (24, 5 + word), "brain.weight_hh": (24, size), "slots": (7, word)}
    tensors = {name: make(*shape) for name, shape in shapes.items()}
    tensors |= {"brain.bias_ih": make(24), "brain.bias_hh": make(24)}
    layers = {"voice": (4, size + word)}
    for head in ("reader", "writer"):
        parts = {"key": word, "strength": 1, "gate": 1, "shift": 3, "sharpening": 1}
        layers |= {f"{head}.{part}": (outs, size) for part, outs in parts.items()}
    layers |= {"writer.erase": (word, size), "writer.add": (word, size)}
    for name, shape in layers.items():
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = make(*shape), make(shape[0])
    return tensors


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Installs a module and its entry points for one test."""

    def install(module: str, entry_points: str) -> None:
        (tmp_path / "their_ntm.py").write_text(module)
        about = tmp_path / "their_ntm-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: their-ntm\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[ntm_scope.importers]\n{entry_points}\n")
        monkeypatch.syspath_prepend(tmp_path)
        registry.cache_clear()

    yield install
    sys.modules.pop("their_ntm", None)
    registry.cache_clear()


def test_an_importer_of_a_third_party_is_found_and_used(site: Callable[[str, str], None]) -> None:
    assert 1 < len(THEIR_MODULE.splitlines()) < 60
    site(THEIR_MODULE, "theirs = their_ntm:TheirImporter")
    found = import_contents(named(their_file()))
    assert found.importer == "theirs"
    assert found.ranking[0].encoding == "copy"
    assert found.checkpoint().machine().config.memory_size == 7
    assert import_contents(named(programs.clemkoa_file()), detect=False).importer == "clemkoa"


@pytest.mark.parametrize("member", ["likeness", "questions", "candidates"])
def test_an_importer_that_fails_refuses_its_own_files_and_no_others(
    site: Callable[[str, str], None], member: str
) -> None:
    failing = f"\n    def {member}(self, *_):\n        raise ZeroDivisionError('a slip')\n"
    name = THEIR_MODULE.replace("    def candidates", "    def _candidates") if member == "candidates" else THEIR_MODULE
    site(name.rstrip() + "\n" + failing, "theirs = their_ntm:TheirImporter")
    assert import_contents(named(programs.clemkoa_file()), detect=False).importer == "clemkoa"
    with pytest.raises(CheckpointError, match="ZeroDivisionError: a slip"):
        import_contents(named(their_file()))


def with_answer(member: str, body: str) -> str:
    """Their module, of which one member does this."""
    module = (
        THEIR_MODULE.replace("    def candidates", "    def _candidates") if member == "candidates" else THEIR_MODULE
    )
    return f"{module.rstrip()}\n\n    def {member}(self, *given):\n        {body}\n"


CANDIDATES = "return [replace(self._candidates(*given)[0], {})]"


@pytest.mark.parametrize(
    ("member", "body", "words"),
    [
        ("likeness", "return None", "'theirs' gave None as likeness: it must be a share of 0 … 1 and a tuple of texts"),
        ("likeness", "return 2, ()", r"'theirs' gave \(2, \(\)\) as likeness"),
        ("likeness", "return float('nan'), ()", "as likeness"),
        ("likeness", "return 0.5, 'weight'", "as likeness"),
        ("likeness", "raise SystemExit('over')", "'theirs' failed on this file with SystemExit: over"),
        ("questions", "return ['n']", r"'theirs' gave \['n'\] as questions: it must be a tuple, each a Question"),
        ("questions", "return None", "'theirs' gave None as questions"),
        ("candidates", "return ()", r"'theirs' gave \(\) as candidates: it must be a tuple of at least one"),
        ("candidates", "return None", "'theirs' gave None as candidates"),
        ("candidates", "raise SystemExit(0)", "'theirs' failed on this file with SystemExit: 0"),
        ("candidates", "yield 1 / 0", "'theirs' failed on this file with ZeroDivisionError"),
        ("candidates", "return 2 * self._candidates(*given)", "as variant of two candidates: it must be of one alone"),
        ("candidates", CANDIDATES.format("assumed='all activations'"), "'all activations' as assumed of a candidate"),
        ("candidates", CANDIDATES.format("variant=None"), "None as variant of a candidate: it must be of type str"),
        ("candidates", CANDIDATES.format("config={}"), "{} as config of a candidate: it must be of type MachineConfig"),
        ("candidates", CANDIDATES.format("encodings=('copy',)"), "as encodings of a candidate: .* of type Encoding"),
        ("candidates", CANDIDATES.format("tensors={'heads.bias': [1]}"), "as tensor 'heads.bias' of a candidate"),
    ],
)
def test_an_importer_that_answers_with_something_else_is_told(
    site: Callable[[str, str], None], member: str, body: str, words: str
) -> None:
    site("from dataclasses import replace\n" + with_answer(member, body), "theirs = their_ntm:TheirImporter")
    assert import_contents(named(programs.clemkoa_file()), detect=False).importer == "clemkoa"
    with pytest.raises(CheckpointError, match=words):
        import_contents(named(their_file()))


def test_tensors_of_torchs_are_taken(site: Callable[[str, str], None]) -> None:
    torchs = "tensors={n: torch.from_numpy(a.copy()) for n, a in self._candidates(*given)[0].tensors.items()}"
    module = "import torch\nfrom dataclasses import replace\n" + with_answer("candidates", CANDIDATES.format(torchs))
    site(module, "theirs = their_ntm:TheirImporter")
    found = import_contents(named(their_file()))
    assert found.importer == "theirs"
    assert all(isinstance(array, np.ndarray) for array in found.chosen.tensors.values())
    json.dumps(found.about())


def test_a_wished_choice_that_is_none_is_told() -> None:
    with pytest.raises(CheckpointError, match="the wish choices names 'simlarity', which is no choice of a machine"):
        Wishes(choices={"simlarity": "cosine"})


@contextlib.contextmanager
def refused_in_words() -> Iterator[None]:
    """What happens inside may be refused, but not by an importer that fails."""
    try:
        yield
    except CheckpointError as error:
        if "failed on this file" in str(error):
            raise


@given(st.sampled_from(sorted(FILES)), st.data())
@settings(max_examples=150, deadline=None)
def test_a_file_of_a_family_with_wrong_shapes_is_imported_or_refused(family: str, data: st.DataObject) -> None:
    """No other error, whatever stands under the names of a family."""
    tensors = dict(FILES[family]())
    for name in data.draw(st.lists(st.sampled_from(sorted(tensors)), min_size=1, max_size=3, unique=True)):
        shape = data.draw(st.one_of(st.none(), st.lists(st.integers(0, 5), max_size=3)))
        tensors.pop(name) if shape is None else tensors.update({name: np.full(shape, 0.5)})
    with refused_in_words():
        import_contents(named(tensors), detect=False).checkpoint()


@given(st.lists(st.lists(st.integers(0, 5), max_size=3), min_size=20, max_size=60))
@settings(max_examples=40, deadline=None)
def test_a_list_of_any_arrays_is_imported_or_refused(shapes: list[list[int]]) -> None:
    arrays = [np.full(shape, 0.5) for shape in shapes]
    with refused_in_words():
        import_contents(Contents("npy", arrays, {str(i): array for i, array in enumerate(arrays)}), detect=False)


@pytest.mark.parametrize(
    ("module", "point", "problem"),
    [
        ("raise RuntimeError('no licence')", "their_ntm:X", "no licence"),
        ("raise SystemExit('no licence')", "their_ntm:X", "no licence"),
        ("X = 3", "their_ntm:X", "it is not an Importer"),
        ("", "their_ntm:X", "X"),
        (THEIR_MODULE.replace('"theirs"', '"clemkoa"'), "their_ntm:TheirImporter", "the name 'clemkoa' is taken"),
    ],
)
def test_a_broken_importer_harms_no_other(
    site: Callable[[str, str], None], module: str, point: str, problem: str
) -> None:
    site(module, f"theirs = {point}")
    assert import_contents(named(programs.clemkoa_file()), detect=False).importer == "clemkoa"
    with pytest.raises(CheckpointError, match=problem):
        import_contents(named({"weight": np.zeros((2, 2))}))
