"""The attack list is complete: every number has a test or a reason, every advisory too, and nothing has both."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from security.attack import OWN
from security.catalogue import ABSENT, ADVISORIES, CATEGORIES, FOLDER, LAST, LATER, Tried, category_of, tried

CASES = list(tried())
ADVISORY = re.compile(r"CVE-(?P<year>\d{4})-(?P<number>\d+)(?P<more>(?:(?:\.\.|/|, )\d{4,}\b(?! \[mem\]))*)")


def test_every_number_has_a_test_or_a_reason() -> None:
    """From 1 to the last of the catalogue."""
    numbers = {case.number for case in CASES} | {number for number, _ in ABSENT}
    assert {number for number in numbers if isinstance(number, int)} == set(range(1, LAST + 1))
    assert [number for block in CATEGORIES.values() for number in block] == list(range(1, LAST + 1))


def test_nothing_stands_twice() -> None:
    """A case is one test or one reason."""
    counts = Counter((case.number, case.title) for case in CASES)
    counts.update(list(ABSENT))
    assert [name for name, count in counts.items() if count > 1] == []
    assert not {case.number for case in CASES} & set(LATER)
    assert all(reason for reason in (*ABSENT.values(), *LATER.values()))


def test_every_advisory_has_a_test_of_its_name_or_a_reason() -> None:
    """The name of the function says which advisory it tries."""
    texts = [(FOLDER / file).read_text(encoding="utf-8") for file in ("test_cves.py", "test_cves_elsewhere.py")]
    functions = re.findall(r"^def (test_\w+)", "".join(texts), re.MULTILINE)
    for case in CASES:
        if category_of(case.number) == ADVISORIES:
            wanted = _words(case.number)
            assert any(wanted in _words(name) for name in functions) or _is_kin(case), case


def _words(text: str | int) -> str:
    """`CVE-2022-29217` and `test_cve_2022_29217_pyjwt_…` alike; of a version only the library counts."""
    return re.sub(r"[^a-z0-9]+", "-", str(text).split(" ")[0].lower())


def _is_kin(case: Tried) -> bool:
    """An advisory about the same mistake, tried in one test with the first that was published."""
    return case.title.startswith("the same ")


def test_the_reference_data_knows_no_other_advisory(shared: Path) -> None:
    """Sections 3.1 and 3.3 of the standards: each name stands in a mark, or in the list of those for later."""
    text = (shared / "reference/standards.md").read_text(encoding="utf-8")
    attacks = text[text.index("## 3.1 ") : text.index("## 3.2 ")] + text[text.index("## 3.3 ") : text.index("# 5. ")]
    attacks = attacks.partition("**DPoP / mTLS**")[0] + text[text.index("## 3.3 ") : text.index("# 5. ")]
    known = {str(case.number) for case in CASES} | set(LATER)
    named = set(_advisories(attacks)) | set(re.findall(r"GHSA(?:-[0-9a-z]{4}){3}", attacks))
    assert len(named) > 60
    assert named - known - set(ALIASES) == set()


ALIASES = {"GHSA-fhv5-28vv-h8m8": "CVE-2026-48524"}
"""Second names."""


def _advisories(text: str) -> Iterator[str]:
    """`CVE-2026-48522..48526`, `CVE-2026-22817/22818` and `CVE-2025-59420, 61920` are several."""
    for found in ADVISORY.finditer(text):
        year, numbers = found["year"], [int(found["number"])]
        for separator, number in re.findall(r"(\.\.|/|, )(\d+)", found["more"]):
            numbers += range(numbers[-1] + 1, int(number) + 1) if separator == ".." else [int(number)]
        yield from (f"CVE-{year}-{number}" for number in numbers)


def test_own_ideas_exist() -> None:
    """Whoever adds a feature adds attacks on it; a list that never grows was never thought about."""
    assert sum(case.number == OWN for case in CASES) >= 10
