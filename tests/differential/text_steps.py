"""Mutations of the finished token and of its signature: characters, segments, padding, signature forms."""

from __future__ import annotations

import json
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from differential.draft import Draft, Step, b64, unb64

__all__ = ["TEXT_STEPS"]

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_PUT = "A_-+/=.\n \t\0%\u00e9\uff0e{"


def _segments(change: Callable[[list[str]], list[str]]) -> Callable[[str], str]:
    return lambda token: ".".join(change(token.split(".")))


def _json_form(token: str) -> str:
    head, payload, signature = ([*token.split("."), "", "", ""])[:3]
    return json.dumps({"protected": head, "payload": payload, "signature": signature})


_EDITS: tuple[Callable[[str], str], ...] = (
    lambda token: token + "\n",
    lambda token: " " + token,
    lambda token: token + " ",
    lambda token: "Bearer " + token,
    lambda token: token + ".",
    lambda token: "." + token,
    lambda token: token + ".e30",
    lambda token: token + ".e30.e30",
    lambda token: token.replace(".", "..", 1),
    lambda token: token.rpartition(".")[0],
    lambda token: token.rpartition(".")[0] + ".",
    lambda token: token.replace("-", "+").replace("_", "/"),
    lambda token: token.upper(),
    lambda token: token.replace(".", "%2E"),
    lambda token: f'"{token}"',
    lambda token: "\ufeff" + token,
    lambda token: token + "\0",
    lambda token: token.replace(".", "\uff0e"),
    _json_form,
    _segments(lambda parts: parts[::-1]),
    _segments(lambda parts: [parts[0], parts[0], *parts[2:]]),
    _segments(lambda parts: [parts[0], "", *parts[2:]]),
    _segments(lambda parts: ["", *parts[1:]]),
    _segments(lambda parts: ["e30", *parts[1:]]),
    _segments(lambda parts: [part + "=" * (-len(part) % 4) for part in parts]),
    _segments(lambda parts: [parts[0] + "=" * (-len(parts[0]) % 4), *parts[1:]]),
    _segments(lambda parts: [*parts[:2], *(part + "=" * (-len(part) % 4) for part in parts[2:])]),
    _segments(lambda parts: [*parts[:2], *(part + "=" for part in parts[2:])]),
    _segments(lambda parts: [*parts[:2], *(part + "====" for part in parts[2:])]),
    _segments(lambda parts: [*parts[:2], *(part + "A" for part in parts[2:])]),
)


def _edit(draft: Draft, number: int) -> None:
    draft.on_token.append(_EDITS[number])


def _spare_bits(draft: Draft, number: int) -> None:
    """The same bytes under another spelling: the unused low bits of a segment's last character are set."""

    def change(parts: list[str]) -> list[str]:
        place = number % len(parts)
        part = parts[place]
        spare = {2: 4, 3: 2}.get(len(part) % 4, 0)
        if spare and part[-1] in _ALPHABET:
            last = _ALPHABET.index(part[-1]) ^ (1 + number // 3 % (2**spare - 1))
            parts[place] = part[:-1] + _ALPHABET[last]
        return parts

    draft.on_token.append(_segments(change))


def _characters(draft: Draft, number: int) -> None:
    """One character is put in, taken out or replaced, anywhere."""

    def change(token: str) -> str:
        place = number * 7919 % (len(token) + 1)
        char = _PUT[number // 3 % len(_PUT)]
        match number % 3:
            case 0:
                return token[:place] + char + token[place:]
            case 1:
                return token[:place] + token[place + 1 :]
            case _:
                return token[:place] + char + token[place + 1 :]

    draft.on_token.append(change)


def _bits(draft: Draft, number: int) -> None:
    """One bit of one decoded segment flips."""

    def change(parts: list[str]) -> list[str]:
        try:
            data = bytearray(unb64(parts[number % len(parts)]))
        except ValueError:
            return parts
        if data:
            data[number * 31 % len(data)] ^= 1 << number // 3 % 8
        parts[number % len(parts)] = b64(bytes(data))
        return parts

    draft.on_token.append(_segments(change))


def _as_der(signature: bytes) -> bytes:
    half = len(signature) // 2
    return encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))


_ORDER = {
    64: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    96: 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
}


def _other_s(signature: bytes) -> bytes:
    """(r, n - s) is as good an ECDSA signature as (r, s); of an EdDSA one it makes nonsense."""
    half = len(signature) // 2
    other = _ORDER.get(len(signature), 1 << 8 * half) - int.from_bytes(signature[half:], "big")
    return signature[:half] + (other % (1 << 8 * half)).to_bytes(half, "big")


_FORMS: tuple[Callable[[bytes], bytes], ...] = (
    _as_der,
    _other_s,
    lambda signature: bytes(len(signature)),
    lambda signature: signature[:-1],
    lambda signature: signature[1:],
    lambda signature: signature + b"\0",
    lambda signature: b"\0" + signature,
    lambda signature: signature[:1],
    lambda signature: signature + signature,
    lambda signature: signature[len(signature) // 2 :] + signature[: len(signature) // 2],
    lambda signature: b"\xff" * len(signature),
    lambda signature: signature[::-1],
    lambda signature: signature.hex().encode(),
    lambda signature: b64(signature).encode(),
)


def _form(draft: Draft, number: int) -> None:
    draft.on_signature.append(_FORMS[number])


TEXT_STEPS = (
    Step("token", len(_EDITS), _edit),
    Step("token.spare-bits", 12, _spare_bits),
    Step("token.character", 60, _characters),
    Step("token.bit", 36, _bits),
    Step("signature", len(_FORMS), _form),
)
