"""The command `ntm-scope`: starts the server, or hands over to one of the core's commands."""

import argparse
import errno
import gc
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from ntm_core.claim import claimed
from ntm_core.cli import add_commands
from ntm_core.compiled import BUILDING, is_available
from ntm_core.config import describe_validation_error
from ntm_core.errors import InUseError, NtmError
from server.app import create_app
from server.compiled import warm_up
from server.connections import protocol
from server.crews import crew_of
from server.routes.version import program_version
from server.settings import DEFAULT_PORT, Settings

_PORTS_TRIED = 50


class ScopeServer(uvicorn.Server):
    """uvicorn's server, which ends the streams that are under way before it waits for their connections.

    A connection that is still open after `patience_seconds` is cut.
    """

    def __init__(self, app: FastAPI, log_level: str = "warning", patience_seconds: int = 3) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol(app.state.head_seconds),
                log_level=log_level,
                access_log=log_level in {"info", "debug"},
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=patience_seconds,
            )
        )
        self._recorder, self._foreman = app.state.recorder, app.state.foreman

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams of traces and of training, then everything else."""
        self._recorder.stop()
        self._foreman.leave()
        await super().shutdown(sockets)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of the command: 0 if it did what it was asked."""
    parser = _parser()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in {"-h", "--help", "--version"}):
        given.insert(0, "serve")
    options = parser.parse_args(given)
    try:
        status: int = options.run(options)
    except NtmError as error:
        print(f"ntm-scope: {error}", file=sys.stderr)
        return 2
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ntm-scope",
        description="See how a Neural Turing Machine reads and writes its memory, step by step, in the browser.",
        epilog="Without a command, the server starts.",
    )
    parser.add_argument("--version", action="version", version=f"ntm-scope {program_version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    serve = commands.add_parser(
        "serve",
        help="start the server (the default)",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_settings_help(),
        description="Start the server and print its address.",
    )
    serve.add_argument("--host", help="address to listen on (127.0.0.1)")
    serve.add_argument("--port", type=int, help=f"port to listen on ({DEFAULT_PORT}, or the next free one); 0: any")
    serve.add_argument("--data-directory", type=Path, metavar="DIR", help="where uploaded checkpoints are stored")
    serve.add_argument("--log-level", default="warning", choices=("error", "warning", "info", "debug"))
    serve.set_defaults(run=_serve)
    add_commands(commands, crew_of)
    return parser


def _settings_help() -> str:
    """Every setting with its environment variable, its meaning and its default."""
    lines = ["every setting can be given as an environment variable, and most only so:"]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        lines += [f"  NTM_SCOPE_{name.upper()}", f"      {field.description} Default: {default or 'none'}"]
    return "\n".join(lines)


def _serve(options: argparse.Namespace) -> int:
    """The exit status of the server, once it has been stopped: its address is printed, its settings are read here."""
    chosen: dict[str, Any] = {
        name: value for name in ("host", "port", "data_directory") if (value := getattr(options, name)) is not None
    }
    try:
        settings = Settings(**chosen)
        listener = listen(settings.host, settings.port, fallback="port" not in settings.model_fields_set)
    except ValidationError as error:
        print(f"ntm-scope: {describe_validation_error(error)}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"ntm-scope: cannot listen on {settings.host}:{settings.port}: {error.strerror}", file=sys.stderr)
        return 2
    # One thread: the matrices of a step are small, and the rest of the machine belongs to others.
    torch.set_num_threads(1)
    with listener, _alone_in(settings.data_directory):
        print(f"NTM Scope is at {address(listener)}  (Ctrl-C stops it)", flush=True)
        stop_warming = _warm_up_beside() if is_available() else _warm_up_here()
        server = ScopeServer(create_app(settings), options.log_level)
        _keep_what_is_loaded()
        # uvicorn stops in good order at a Ctrl-C, and raises it once more when it has.
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
        stop_warming()
        print("NTM Scope has stopped.", flush=True)
    return 0


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """The data directory for this server alone, for two would train the same runs and count uploads past each other.

    NtmError if another server has it. Where nothing can be written, there is nothing to be shared.
    """
    with ExitStack() as claim:
        try:
            claim.enter_context(claimed(directory))
        except InUseError as error:
            raise NtmError(f"{error}; --data-directory DIR starts this one elsewhere") from None
        except OSError:
            pass
        yield


def _keep_what_is_loaded() -> None:
    """Let Python's collector of garbage leave alone what there is by now, which stays until the end.

    It is some hundred thousand objects of torch, numba and the application: to look through them would hold up all
    requests for a quarter of a second, now and then.
    """
    gc.freeze()


def _warm_up_here() -> Callable[[], None]:
    """Where nothing is compiled: the log says so, and there is nothing to be ended."""
    warm_up()
    return lambda: None


def _warm_up_beside() -> Callable[[], None]:
    """Begin to make the compiled core ready; what is returned ends that.

    Another process compiles, and says so, since numba keeps this one from answering meanwhile; then this one loads what
    it made. A Ctrl-C is for this one alone.
    """
    compiling = subprocess.Popen(
        [sys.executable, "-m", "server.training.worker"],
        env=os.environ | {BUILDING: "1"},
        stdin=subprocess.DEVNULL,
        process_group=0,
    )
    threading.Thread(target=_warm_up_after, args=(compiling,), daemon=True).start()

    def end() -> None:
        compiling.terminate()
        compiling.wait()

    return end


def _warm_up_after(compiling: "subprocess.Popen[bytes]") -> None:
    """Make the compiled core ready in this process, once another one has compiled it; nothing if that failed."""
    if compiling.wait() == 0:
        warm_up()
        _keep_what_is_loaded()


def listen(host: str, port: int, *, fallback: bool) -> socket.socket:
    """A listening socket; if the port is taken and `fallback` is set, on one of the next. OSError if none is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, port + _PORTS_TRIED if fallback else port + 1):
        # The protocol is named because asyncio sends small pieces at once (TCP_NODELAY) only where it is.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if sys.platform != "win32":
                # A port whose last connections are still closing is free. On Windows this would mean: taken or not.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, candidate))
            listener.listen()
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE or candidate + 1 == port + _PORTS_TRIED or not fallback:
                raise
        else:
            return listener
    raise AssertionError("the loop returns or raises")


def address(listener: socket.socket) -> str:
    """The URL at which a browser on this machine finds a listening socket."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared with, not bound to
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


if __name__ == "__main__":
    sys.exit(main())
