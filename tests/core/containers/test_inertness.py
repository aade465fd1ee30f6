"""Nothing happens when a file is opened: the interpreter itself is asked what it imported, ran or touched."""

import base64
import json
import subprocess
import sys
from dataclasses import asdict

from tests.core.containers.builders import seeds
from tests.core.containers.hostile import CORPUS, LIMITS

PROGRAM = """
import base64, json, sys
sys.path[:], limits, files = json.load(sys.stdin)
from ntm_core.checkpoints.containers import ContainerLimits, flatten, open_container
from ntm_core.checkpoints.containers.transport import pack
from ntm_core.errors import CheckpointError

happened, listening = [], False

def listen(event, _arguments):
    if listening:
        happened.append(event)

def visit(data):
    global listening
    listening = True
    try:
        container = open_container(data, ContainerLimits(**limits))
        pack(container)
        flatten(container.root)
        return "opened"
    except CheckpointError:
        return "refused"
    finally:
        listening = False

contents = {name: base64.b64decode(text) for name, text in files.items()}
visit(contents["torch zip"])
happened.clear()
sys.addaudithook(listen)
outcomes = {name: visit(data) for name, data in contents.items()}
json.dump({"happened": happened, "outcomes": outcomes, "modules": sorted(sys.modules)}, sys.stdout)
"""


def test_no_file_makes_the_interpreter_import_run_or_touch_anything() -> None:
    good = seeds()
    files = {**good, **{f"hostile: {kind}": data for kind, (data, _) in CORPUS.items()}}
    call = json.dumps(
        [sys.path, asdict(LIMITS), {name: base64.b64encode(data).decode() for name, data in files.items()}]
    )
    done = subprocess.run([sys.executable, "-I", "-c", PROGRAM], input=call, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert set(answer["happened"]) <= {"builtins.id"}
    assert {name for name, outcome in answer["outcomes"].items() if outcome == "opened"} == set(good)
    assert not {"torch", "pydantic", "zipfile"} & set(answer["modules"])
