"""The command line: what is printed where, exit codes, and a key file that only its owner can read."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import bearerkit
from bearerkit import cli
from bearerkit.testing.dev_key import KeyFileError, default_key_file, open_key_file
from bearerkit.testing.server import LoopbackServer

PACKAGE_ROOT = str(Path(bearerkit.__file__).parents[1])


@pytest.fixture(autouse=True)
def _state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": PACKAGE_ROOT, "PYTHONUNBUFFERED": "1"}


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bearerkit", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    guard = threading.Timer(60, process.kill)
    guard.start()
    try:
        yield process
    finally:
        guard.cancel()
        process.kill()
        process.communicate()


def claims_of(token: str) -> dict[str, object]:
    import jwt

    claims: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return claims


# Usage


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "COMMAND"),
        (("dance",), "dance"),
        (("dev-issuer", "--port", "70000"), "not a port"),
        (("dev-issuer", "--port", "-1"), "port"),
        (("dev-issuer", "--port", "9400x"), "not a port"),
        (("dev-token", "--expires-in", "0"), "not a number of seconds"),
        (("dev-token", "--expires-in", "1h"), "not a number of seconds"),
        (("dev-token", "--claim", "novalue"), "not NAME=VALUE"),
        (("dev-token", "--claim", "=1"), "not NAME=VALUE"),
        (("dev-token", "--issuer", "localhost:9400"), "not an http or https URL"),
        (("dev-token", "--scop", "a"), "--scop"),
        (("demo", "--once", "extra"), "extra"),
    ],
)
def test_wrong_usage_is_one_line_on_stderr_and_exit_code_2(
    run: Callable[..., tuple[int, str, str]], arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert said in err
    assert "--help" in err


def test_help_names_every_command(run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert all(name in out for name in ("demo", "dev-issuer", "dev-token", "--version"))


def test_version(run: Callable[..., tuple[int, str, str]]) -> None:
    assert run("--version") == (0, f"bearerkit {bearerkit.__version__}\n", "")


def test_an_interrupt_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("bearerkit.testing.issuer.FakeIssuer.token", interrupted)
    assert cli.main(["dev-token"]) == 130


def test_a_closed_pipe_gives_no_traceback() -> None:
    command = f"{shlex.quote(sys.executable)} -m bearerkit dev-token | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode in (0, 1), "0 if the token was written before the reader left"
    assert done.stderr == ""


# dev-token


def test_dev_token_prints_the_token_and_nothing_else(run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = run("dev-token", "--scope", "orders:read orders:write", "--tenant", "acme")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", out)
    claims = claims_of(out.strip())
    assert {name: claims[name] for name in ("iss", "aud", "sub", "client_id", "scope", "tenant_id")} == {
        "iss": "http://127.0.0.1:9400",
        "aud": "api",
        "sub": "dev-user",
        "client_id": "bearerkit-dev",
        "scope": "orders:read orders:write",
        "tenant_id": "acme",
    }
    assert claims["exp"] - claims["iat"] == 3600  # type: ignore[operator]


def test_dev_token_without_scope_and_tenant_has_neither_claim(run: Callable[..., tuple[int, str, str]]) -> None:
    claims = claims_of(run("dev-token")[1].strip())
    assert not {"scope", "tenant_id"} & set(claims)


def test_dev_token_takes_every_option(run: Callable[..., tuple[int, str, str]]) -> None:
    options = '--sub u1 --audience orders-api --expires-in 60 --issuer http://localhost:9 --claim roles=["a"]'
    claims_given = ["--claim", "org=x y=z", "--claim", "n=7", "--claim", "client_id=null", "--claim", "key=k"]
    _, out, _ = run("dev-token", *options.split(), *claims_given)
    claims = claims_of(out.strip())
    assert (claims["sub"], claims["aud"], claims["iss"]) == ("u1", "orders-api", "http://localhost:9")
    assert (claims["roles"], claims["org"], claims["n"], claims["key"]) == (["a"], "x y=z", 7, "k")
    assert claims["exp"] - claims["iat"] == 60  # type: ignore[operator]
    assert "client_id" not in claims, "null leaves a claim out"


def test_tokens_are_signed_by_one_key_that_outlives_the_process(run: Callable[..., tuple[int, str, str]]) -> None:
    import jwt

    tokens = [run("dev-token")[1].strip() for _ in range(2)]
    key = open_key_file(default_key_file())
    for token in tokens:
        assert jwt.get_unverified_header(token)["kid"] == key.kid
        assert jwt.decode(token, key.public_key, algorithms=["RS256"], audience="api")


# The key file


def test_the_key_file_is_the_owners_alone(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        run("dev-token")
    finally:
        os.umask(former)
    file = tmp_path / "state" / "bearerkit" / "dev-key.pem"
    assert file == default_key_file()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in file.parent.iterdir()] == ["dev-key.pem"], "no draft is left behind"


def test_without_xdg_the_state_folder_is_in_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/nowhere/ada")
    assert default_key_file() == Path("/nowhere/ada/.local/state/bearerkit/dev-key.pem")


def test_a_key_file_of_its_own(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    file = tmp_path / "mine.pem"
    assert run("dev-token", "--key-file", str(file))[0] == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not default_key_file().exists()


def test_a_key_file_that_others_may_read_is_refused(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    file = tmp_path / "open.pem"
    run("dev-token", "--key-file", str(file))
    file.chmod(0o640)
    code, out, err = run("dev-token", "--key-file", str(file))
    assert (code, out) == (1, "")
    assert f"chmod 600 {file}" in err
    assert len(err.splitlines()) == 1


def test_what_is_no_key_is_refused_in_one_line_without_its_content(tmp_path: Path) -> None:
    encrypted_or_not = {
        "text.pem": b"sesame open",
        "empty.pem": b"",
        "curve.pem": ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
    }
    for name, content in encrypted_or_not.items():
        file = tmp_path / name
        file.write_bytes(content)
        file.chmod(0o600)
        with pytest.raises(KeyFileError, match="delete it to get a new one") as refusal:
            open_key_file(file)
        assert "sesame" not in str(refusal.value)
        assert "\n" not in str(refusal.value)
        assert file.read_bytes() == content, "what somebody put there is not overwritten"


def test_a_folder_is_no_key_file(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError):
        open_key_file(tmp_path)


def test_a_device_is_no_key_file() -> None:
    with pytest.raises(KeyFileError, match="is not a file"):
        open_key_file(Path(os.devnull))


def test_a_folder_that_cannot_be_made_is_said_in_one_line(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = run("dev-token", "--key-file", str(tmp_path / "file" / "key.pem"))
    assert code == 1
    assert "cannot use the key file" in err


def test_processes_that_start_together_get_the_same_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process links its key after we saw that there is none, and before we link ours."""
    import bearerkit.testing.dev_key as dev_key

    file = tmp_path / "key.pem"
    real = os.link
    winners = []

    def link(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "link", real)
        winners.append(open_key_file(file).kid)
        real(source, target)

    monkeypatch.setattr(dev_key.os, "link", link)
    assert [open_key_file(file).kid] == winners
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["key.pem"]


# dev-issuer


def test_dev_issuer_serves_the_key_of_dev_token_and_stops_on_ctrl_c(run: Callable[..., tuple[int, str, str]]) -> None:
    import jwt

    with started("dev-issuer", "--port", "0", "--audience", "orders-api") as process:
        assert process.stdout is not None
        lines = []
        while "dev-token" not in (line := process.stdout.readline()):
            assert line, "dev-issuer ended early"
            lines.append(line)
        command = shlex.split(line)
        [base_url] = re.findall(r"http://127\.0\.0\.1:\d+", lines[0])
        assert f'auth = Auth(Issuer("{base_url}", audience="orders-api"))' in "".join(lines)

        token = run(*command[1:])[1].strip()
        connection = HTTPConnection(urlsplit(base_url).netloc, timeout=10)
        connection.request("GET", "/jwks.json")
        [jwk] = json.loads(connection.getresponse().read())["keys"]
        connection.close()
        claims = jwt.decode(token, jwt.PyJWK(jwk), algorithms=["RS256"], audience="orders-api", issuer=base_url)
        assert claims["scope"] == "orders:read"

        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_dev_issuer_in_process(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Interrupted at once: prints the snippet, and leaves the signal handlers as they were."""

    class Interrupted:
        def wait(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(cli, "Event", Interrupted)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    file = tmp_path / "my key.pem"
    code, out, err = run("dev-issuer", "--port", "0", "--host", "localhost", "--key-file", str(file))
    assert (code, err) == (0, "")
    assert re.search(r'Issuer\("http://localhost:\d+", audience="api"\)', out)
    assert f"--key-file '{file}'" in out
    assert out.endswith("Stopped.\n")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.com"])
def test_dev_issuer_refuses_to_listen_beyond_loopback(run: Callable[..., tuple[int, str, str]], host: str) -> None:
    code, out, err = run("dev-issuer", "--port", "0", "--host", host)
    assert (code, out) == (2, "")
    assert "not a loopback address" in err
    assert len(err.splitlines()) == 1


def test_a_taken_port_is_one_line(run: Callable[..., tuple[int, str, str]]) -> None:
    with LoopbackServer(lambda url: pytest.fail(url)) as base_url:  # type: ignore[arg-type, return-value]
        port = str(urlsplit(base_url).port)
        assert run("dev-issuer", "--port", port) == (
            1,
            "",
            f"bearerkit: port {port} is taken; choose another one with --port\n",
        )


def test_another_listen_error_is_said_in_its_own_words(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("bearerkit.testing.issuer.LoopbackServer", refused)
    code, _, err = run("dev-issuer", "--port", "80")
    assert (code, err) == (1, "bearerkit: cannot listen on port 80: Permission denied\n")


# demo, as far as the command line goes (the walk is tested with the adapters)


def test_demo_says_which_packages_are_missing(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    import bearerkit.demo

    monkeypatch.setattr(bearerkit.demo, "find_spec", lambda name: None if name != "fastapi" else object())
    assert run("demo", "--once") == (
        1,
        "",
        'bearerkit: bearerkit demo needs Uvicorn and rich: pip install "bearerkit[demo]"\n',
    )


def test_the_cli_imports_nothing_heavy() -> None:
    heavy = {"jwt", "cryptography", "rich", "fastapi", "asyncio"}
    code = f"import sys, bearerkit.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())
    assert done.stdout.strip() == "[]"
