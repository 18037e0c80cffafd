"""A reader of `WWW-Authenticate` fields, written from RFC 9110 sections 5.6 and 11 and from nothing of ours.

It reads a list of challenges as a client would, so that a text which breaks out of its quoted string shows up as a
second challenge, a second parameter or an error. What must never happen here: anything imported from bearerkit.
"""

from __future__ import annotations

__all__ = ["NoChallenge", "challenges"]

_TCHAR = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class NoChallenge(ValueError):
    """The field is not `1#challenge`."""


def challenges(field: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Scheme and auth-params of each challenge of the field, in order."""
    reader = _Reader(field)
    found: list[tuple[str, list[tuple[str, str]]]] = []
    while True:
        name = reader.token()
        if reader.take("=") and found:  # a further parameter of the challenge before
            found[-1][1].append((name, reader.value()))
        elif reader.take(" "):
            found.append((name, []))
            continue
        else:
            found.append((name, []))
        reader.blanks()
        if reader.at_end():
            return found
        if not reader.take(","):
            raise NoChallenge(f"neither comma nor end at {reader.place}")
        reader.blanks()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def at_end(self) -> bool:
        return self.place == len(self.text)

    def take(self, char: str) -> bool:
        found = self.text.startswith(char, self.place)
        self.place += found
        return found

    def blanks(self) -> None:
        while self.take(" ") or self.take("\t"):
            pass

    def token(self) -> str:
        start = self.place
        while not self.at_end() and self.text[self.place] in _TCHAR:
            self.place += 1
        if start == self.place:
            raise NoChallenge(f"no token at {start}")
        return self.text[start : self.place]

    def value(self) -> str:
        if not self.take('"'):
            return self.token()
        inside: list[str] = []
        while not self.take('"'):
            if self.at_end():
                raise NoChallenge("a quoted string does not end")
            if self.take("\\") and self.at_end():
                raise NoChallenge("a quoted string ends in a backslash")
            char = self.text[self.place]
            # qdtext and quoted-pair without obs-text: we promise ASCII.
            if not (char == "\t" or " " <= char <= "~"):
                raise NoChallenge(f"U+{ord(char):04X} in a quoted string")
            inside.append(char)
            self.place += 1
        return "".join(inside)
