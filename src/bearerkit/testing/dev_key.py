"""The key file of the development issuer: made once, readable by its owner only, so that tokens survive restarts.

The private key in it signs for `http://127.0.0.1:…` only. No other module reads or writes it, and its content goes
into no message.
"""

from __future__ import annotations

import os
import secrets
import stat
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bearerkit.testing.signing import SigningKey, thumbprint

__all__ = ["DEV_ALGORITHM", "KeyFileError", "default_key_file", "open_key_file"]

DEV_ALGORITHM = "RS256"


class KeyFileError(Exception):
    """The key file cannot be used. The message is one line and holds no key material."""


def default_key_file() -> Path:
    """Where the key of this user is: the state folder of the XDG specification, `%LOCALAPPDATA%` on Windows."""
    if sys.platform == "win32":  # pragma: no cover - not the platform of our tests
        root = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    else:
        root = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(root) / "bearerkit" / "dev-key.pem"


def open_key_file(path: Path) -> SigningKey:
    """The key in `path`, made first if there is none (file mode 0600, folder 0700). Raises KeyFileError.

    Processes that start at the same time end up with the same key. A file that others may read is refused, as ssh
    does: whoever reads it can sign in as anybody on this machine.
    """
    try:
        pem = _read(path)
        if pem is None:
            _create(path)
            pem = _read(path)
    except OSError as error:
        raise KeyFileError(f"cannot use the key file {path}: {error.strerror or error}") from None
    try:
        private = load_pem_private_key(pem or b"", password=None)
    except (ValueError, TypeError):
        raise KeyFileError(f"{path} holds no unencrypted PEM private key; delete it to get a new one") from None
    if not isinstance(private, rsa.RSAPrivateKey):
        raise KeyFileError(f"{path} holds no RSA key; delete it to get a new one")
    key = SigningKey(DEV_ALGORITHM, private)
    key.kid = thumbprint(key)
    return key


def _read(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise KeyFileError(f"{path} is not a file")
        if os.name == "posix" and mode & 0o077:
            raise KeyFileError(f"others may read the key file {path}; run: chmod 600 {path}")
        return file.read()


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    private = SigningKey.generate(DEV_ALGORITHM).private
    assert isinstance(private, rsa.RSAPrivateKey)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # Written whole under another name and then linked: nobody ever reads half a key, and the first one wins.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(pem)
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
