"""The command `serve`: the server from its first word to its last, however it is ended."""

import argparse
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Self

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from ntm_core.claim import claimed
from ntm_core.config import describe_validation_error
from ntm_core.errors import InUseError, NtmError
from server import logs
from server.app import create_app
from server.connections import protocol
from server.security import allowed_hosts
from server.settings import Settings, unknown_variables, variable
from server.warming import keep_what_is_loaded, warming

logger = logging.getLogger("ntm_scope")

_PORTS_TRIED = 50
_ROOM_TO_CUT = 2
"""How often the largest body may be sent, counting what cuts it into chunks."""

_OPTIONS = ("host", "port", "data_directory", "log_level")
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to
"""Addresses that stand for all of a computer's, each with the one by which it reaches itself."""


class ScopeServer(uvicorn.Server):
    """uvicorn's server, which ends the streams that are under way before it waits for their connections.

    A connection that is still open after `patience_seconds` is cut. How it writes its log is configured elsewhere.
    """

    def __init__(self, app: FastAPI, log_level: str = "warning", patience_seconds: int = 3) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol(
                    app.state.settings.body_seconds, _ROOM_TO_CUT * app.state.settings.max_upload_bytes + 2**20
                ),
                log_config=None,
                log_level=log_level,
                access_log=log_level in {"info", "debug"},
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=patience_seconds,
            )
        )
        self._recorder, self._foreman = app.state.recorder, app.state.foreman

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are left to `Ending`: uvicorn would have this process killed by them once it has ended in order."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams of traces and of training, then everything else."""
        self._recorder.stop()
        self._foreman.leave()
        await super().shutdown(sockets)


class Ending:
    """The end of the server by Ctrl-C, by a polite kill, or with its terminal.

    Such a signal stops the `server` in good order; while there is none yet, it is a KeyboardInterrupt.
    """

    server: ScopeServer | None = None

    def __enter__(self) -> Self:
        self._before: dict[int, Any] = {}
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
            number = getattr(signal, name, None)
            # Under nohup the end of the terminal is not that of the program.
            if number is not None and not (name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN):
                self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.server is None:
            raise KeyboardInterrupt
        self.server.handle_exit(number, frame)


def serve(options: argparse.Namespace) -> int:
    """0, once the server has been stopped by whatever signal: its address is printed, its settings are read here."""
    settings = _settings({name: value for name in _OPTIONS if (value := getattr(options, name)) is not None})
    # One thread: the matrices of a step are small, and the rest of the machine belongs to others.
    torch.set_num_threads(1)
    with Ending() as ending:
        with suppress(KeyboardInterrupt), _listening(settings) as listener:
            logs.configure(settings.log_level)
            with _alone_in(settings.data_directory):
                for words in unknown_variables(os.environ):
                    logger.warning(words)
                _say(f"NTM Scope is at {address(listener)}  (Ctrl-C stops it)")
                if listener.getsockname()[0] in _EVERYWHERE:
                    _say(_answers(settings))
                with warming():
                    server = ScopeServer(create_app(settings), settings.log_level)
                    keep_what_is_loaded()
                    ending.server = server
                    server.run(sockets=[listener])
        _say("NTM Scope has stopped.")
        return 0


def _settings(chosen: dict[str, Any]) -> Settings:
    """The settings with what the command line has chosen; NtmError names the option or the variable that is wrong."""

    def as_given(name: str) -> str:
        return f"--{name.replace('_', '-')}" if name in chosen else variable(name)

    try:
        return Settings(**chosen)
    except ValidationError as error:
        raise NtmError(describe_validation_error(error, as_given)) from None


def _say(words: str) -> None:
    """Print a line, for whoever may still read."""
    try:
        print(words, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python has yet to write


def _answers(settings: Settings) -> str:
    """For whom a server that listens everywhere is there."""
    names = ", ".join(sorted(allowed_hosts("localhost", settings.allowed_hosts)))
    return f"It listens on all addresses, and answers as {names}; NTM_SCOPE_ALLOWED_HOSTS adds names."


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """The data directory for this server alone, for two would train the same runs and count uploads past each other.

    NtmError if another server has it, or if it is something else than a directory. Where nothing can be written, there
    is nothing to be shared, and the log says so.
    """
    trouble: str | None = None
    with ExitStack() as claim:
        try:
            claim.enter_context(claimed(directory))
            if not os.access(directory, os.W_OK | os.X_OK):
                trouble = os.strerror(errno.EACCES)
        except InUseError as error:
            raise NtmError(f"{error}; --data-directory DIR starts this one elsewhere") from None
        except (FileExistsError, NotADirectoryError):
            raise NtmError(f"{directory} is no directory: --data-directory DIR stores elsewhere") from None
        except OSError as error:
            trouble = error.strerror
        if trouble is not None:
            logger.warning(
                "%s cannot be written to (%s): uploads and runs will be refused; --data-directory DIR stores elsewhere",
                directory,
                trouble,
            )
        yield


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """The socket on which the server listens; NtmError if it cannot."""
    where = f"{settings.host}:{settings.port}"
    try:
        listener = listen(settings.host, settings.port, fallback="port" not in settings.model_fields_set)
    except OSError as error:
        raise NtmError(f"cannot listen on {where}: {error.strerror}") from None
    with listener:
        yield listener


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
    host = _EVERYWHERE.get(host, host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
