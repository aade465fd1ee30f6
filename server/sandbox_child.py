"""The program that a sandboxed process runs: one call, with limits, then the end. `sandbox` starts it.

It imports the parser, sets the limits, reads the call from its standard input (8 bytes of length, the options as JSON,
then the file up to the end) and writes the answer (8 bytes of length; then 8 bytes of length, JSON, safetensors).
"""

import contextlib
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Carry out one call."""
    setup = json.loads(sys.argv[1])
    sys.path[:] = setup["path"]
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever is printed must not get into the answer
    module, _, name = setup["parser"].partition(":")
    parser = getattr(importlib.import_module(module), name)
    encode = importlib.import_module("safetensors.numpy").save
    errors = importlib.import_module("ntm_core.errors")
    restrict(setup["limits"])
    calls = sys.stdin.buffer
    head = calls.read(8)
    if not head:
        return  # nobody calls any more
    try:
        options = json.loads(calls.read(int.from_bytes(head, "little")))
        result, arrays = parser(calls.read(), options)
        document, content = {"result": result}, encode({str(place): array for place, array in enumerate(arrays)})
    except errors.NtmError as error:
        document, content = {"error": [error.code, str(error)]}, b""
    except MemoryError:
        limit = setup["limits"]["memory_bytes"]
        document, content = {"error": ["", f"that takes more than {limit} bytes of memory, which is the limit"]}, b""
    except Exception as error:  # noqa: BLE001 - whatever it is must reach the other process
        document, content = {"error": ["", f"the reader failed with {type(error).__name__}: {error}"]}, b""
    about = json.dumps(document).encode()
    with answers:
        answers.write((8 + len(about) + len(content)).to_bytes(8, "little") + len(about).to_bytes(8, "little"))
        answers.write(about)
        answers.write(content)


def restrict(limits: dict[str, Any]) -> None:
    """Hold this process to its limits, as far as the platform can."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - Unix has it

    with contextlib.suppress(OSError):  # only Linux has it
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu_seconds = int(usage.ru_utime + usage.ru_stime) + 1 + limits["cpu_seconds"]
    bounds = {
        resource.RLIMIT_CPU: (cpu_seconds, cpu_seconds + 1),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_NPROC: (0, 0),
        resource.RLIMIT_NOFILE: (limits["open_files"], limits["open_files"]),
    }
    if sys.platform == "linux":  # elsewhere the limit is not kept, or what is in use already cannot be told
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + limits["memory_bytes"]
        bounds[resource.RLIMIT_AS] = (most, most)
    for kind, bound in bounds.items():
        with contextlib.suppress(ValueError, OSError):  # a stricter limit stands already
            resource.setrlimit(kind, bound)


if __name__ == "__main__":
    main()
