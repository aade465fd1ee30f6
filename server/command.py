"""The command line: starts the server, or hands over to one of the core's commands."""

import argparse
import sys
from collections.abc import Sequence
from typing import get_args

from ntm_core.cli import add_commands
from ntm_core.errors import NtmError
from server.crews import crew_of
from server.routes.version import program_version
from server.serving import serve
from server.settings import DEFAULT_PORT, LogLevel, Settings, variable


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit status of the command with these words, those of the command line if there are none."""
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
    serving = commands.add_parser(
        "serve",
        help="start the server (the default)",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_settings_help(),
        description="Start the server and print its address.",
    )
    serving.add_argument(
        "--host",
        help="address to listen on (127.0.0.1); with 0.0.0.0 or ::, NTM_SCOPE_ALLOWED_HOSTS must name that by which "
        "other computers reach it",
    )
    serving.add_argument("--port", type=int, help=f"port to listen on ({DEFAULT_PORT}, or the next free one); 0: any")
    serving.add_argument("--data-directory", metavar="DIR", help="where uploads and training runs are stored")
    serving.add_argument("--log-level", choices=get_args(LogLevel), help="how much the log tells (warning)")
    serving.set_defaults(run=serve)
    add_commands(commands, crew_of)
    return parser


def _settings_help() -> str:
    """Every setting with its environment variable, its meaning and its default."""
    lines = ["every setting can be given as an environment variable, and most only so:"]
    for name, field in Settings.model_fields.items():
        try:
            default = field.get_default(call_default_factory=True, validated_data={})
        except NtmError:
            default = None
        lines += [f"  {variable(name)}", f"      {field.description} Default: {default or 'none'}"]
    return "\n".join(lines)
