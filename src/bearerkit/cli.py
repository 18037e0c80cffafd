"""The `bearerkit` command: `demo`, `dev-issuer`, `dev-token`, `policy`.

Arguments in, one line of error out. What a command does lives in the module it imports when it runs; nothing here
decides anything about a token, and no command may listen beyond loopback.

Exit codes: 0 done, 1 it did not work, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any, NoReturn

__all__ = ["main"]

DEV_PORT = 9400
DEV_AUDIENCE = "api"
_LIFETIME_MAX = 24 * 3600


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code. `argv` None means `sys.argv[1:]`."""
    try:
        arguments = _parser().parse_args(argv)
        code = int(arguments.run(arguments))
        sys.stdout.flush()
        return code
    except SystemExit as stop:  # argparse: --help, --version, wrong usage
        return stop.code if isinstance(stop.code, int) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough. Python flushes stdout once more at exit: give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except _Failure as failure:
        print(f"bearerkit: {failure}", file=sys.stderr)
        return failure.code


class _Failure(Exception):
    """A one-line message for the user, and the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class _Parser(argparse.ArgumentParser):
    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """One line, without the usage block that argparse puts before it."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    from bearerkit.policy_cli.commands import add_policy_commands

    parser = _Parser(prog="bearerkit", description="Verify bearer tokens and guard routes.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    demo = commands.add_parser("demo", help="a FastAPI service and an issuer on this machine, walked through")
    demo.add_argument("--once", action="store_true", help="exit after the walk instead of leaving the service running")
    demo.add_argument("--port", type=_port, default=8000, metavar="N", help="port of the API (default 8000; 0: any)")
    demo.set_defaults(run=_demo)

    issuer = commands.add_parser("dev-issuer", help="serve a development issuer on loopback")
    issuer.add_argument("--port", type=_port, default=DEV_PORT, metavar="N", help=f"default {DEV_PORT}")
    issuer.add_argument("--host", default="127.0.0.1", help="a loopback address (default 127.0.0.1)")
    issuer.add_argument("--audience", default=DEV_AUDIENCE, help="audience of the snippet to paste (default api)")
    _add_key_file(issuer)
    issuer.set_defaults(run=_dev_issuer)

    token = commands.add_parser("dev-token", help="print a token of the development issuer")
    token.add_argument("--scope", default=None, metavar='"A B"', help="scopes, separated by spaces")
    token.add_argument("--tenant", default=None, metavar="ID", help="claim tenant_id")
    token.add_argument("--sub", default="dev-user", help="subject (default dev-user)")
    token.add_argument("--audience", default=DEV_AUDIENCE, help="default api")
    token.add_argument("--expires-in", type=_lifetime, default=3600, metavar="SECONDS", help="default 3600")
    token.add_argument(
        "--claim",
        type=_claim,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another claim; the value is JSON if it parses as JSON, else text; may be repeated",
    )
    here = f"http://127.0.0.1:{DEV_PORT}"
    token.add_argument("--issuer", type=_url, default=here, metavar="URL", help=f"where dev-issuer runs ({here})")
    _add_key_file(token)
    token.set_defaults(run=_dev_token)

    add_policy_commands(commands)
    return parser


def _add_key_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key-file", type=Path, default=None, metavar="FILE", help="default: in your state folder")


class _Version(argparse.Action):
    """`--version`, without looking the version up for every other command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from bearerkit import __version__

        print(f"bearerkit {__version__}")
        parser.exit()


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= 65_535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")


def _lifetime(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) <= _LIFETIME_MAX:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 1 to {_LIFETIME_MAX}")


def _url(text: str) -> str:
    if text.startswith(("http://", "https://")):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is not an http or https URL")


def _claim(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _demo(arguments: argparse.Namespace) -> int:
    from bearerkit.demo import DemoFailed, run_demo

    try:
        with _signals_interrupt():
            return run_demo(port=arguments.port, once=arguments.once)
    except (ModuleNotFoundError, DemoFailed) as error:
        raise _Failure(str(error)) from None
    except OSError as error:
        raise _listen_failure(error, arguments.port) from None


def _dev_issuer(arguments: argparse.Namespace) -> int:
    from bearerkit.testing.issuer import FakeIssuer

    key = _dev_key(arguments.key_file)
    issuer = FakeIssuer(audience=arguments.audience, key=key)
    try:
        with (
            _signals_interrupt(),
            issuer.serve(arguments.port, host=arguments.host) as base_url,
            suppress(KeyboardInterrupt),
        ):
            print(f"Development issuer at {base_url} (Ctrl-C stops it). Its keys are for this machine only.\n")
            print("In your application:\n")
            print("    from bearerkit import Auth, Issuer\n")
            print(f"    auth = Auth(Issuer({_quoted(base_url)}, audience={_quoted(arguments.audience)}))\n")
            print("A token, in another terminal:\n")
            print(f"    {_token_command(arguments, base_url)}", flush=True)
            Event().wait()
        print("\nStopped.")
    except ValueError as error:
        raise _Failure(f"dev-issuer: {error}", code=2) from None
    except OSError as error:
        raise _listen_failure(error, arguments.port) from None
    return 0


def _dev_token(arguments: argparse.Namespace) -> int:
    from bearerkit.testing.issuer import FakeIssuer

    issuer = FakeIssuer(arguments.issuer, audience=arguments.audience, key=_dev_key(arguments.key_file))
    claims: dict[str, Any] = {
        "sub": arguments.sub,
        "client_id": "bearerkit-dev",
        "scope": arguments.scope,
        "tenant_id": arguments.tenant,
        "exp": int(issuer.now()) + arguments.expires_in,
    }
    print(issuer.token(claims | dict(arguments.claim)))
    return 0


def _dev_key(path: Path | None) -> Any:
    from bearerkit.testing.dev_key import KeyFileError, default_key_file, open_key_file

    try:
        return open_key_file(path or default_key_file())
    except KeyFileError as error:
        raise _Failure(str(error)) from None


def _token_command(arguments: argparse.Namespace, base_url: str) -> str:
    """The dev-token command line that fits this dev-issuer: only what differs from the defaults is spelled out."""
    from shlex import join

    words = ["bearerkit", "dev-token", "--scope", "orders:read"]
    if base_url != f"http://127.0.0.1:{DEV_PORT}":
        words += ["--issuer", base_url]
    if arguments.audience != DEV_AUDIENCE:
        words += ["--audience", arguments.audience]
    if arguments.key_file is not None:
        words += ["--key-file", str(arguments.key_file)]
    return join(words)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _listen_failure(error: OSError, port: int) -> Exception:
    if isinstance(error, BrokenPipeError):
        return error
    if error.errno == errno.EADDRINUSE:
        return _Failure(f"port {port} is taken; choose another one with --port")
    return _Failure(f"cannot listen on port {port}: {error.strerror or error}")


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGINT and SIGTERM raise KeyboardInterrupt, also in a background job, whose shell makes it ignore SIGINT."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    former = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    raise SystemExit(main())
