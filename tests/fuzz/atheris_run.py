#!/usr/bin/env python3
"""Fuzz one target by coverage: `python tests/fuzz/atheris_run.py compact [SECONDS] [options of libFuzzer]`.

It starts from the kept corpus and keeps what it finds in BEARERKIT_FUZZ_WORK, else in a temporary folder, so that the
corpus changes only when somebody says so: `… compact merge` replaces it by the fewest inputs that reach all that both
folders reach. A finding ends the run with its traceback, and libFuzzer names the file with the input.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
with atheris.instrument_imports(include=["bearerkit", "fuzz"]):
    from fuzz.targets import TARGETS

INNER = "BEARERKIT_FUZZ_INNER"
"""Set to the target's name where libFuzzer runs this file again to measure inputs one by one."""
LONGEST = 600
"""Bytes of an input. Longer ones reach nothing more and are slow."""


def main() -> None:
    """Run libFuzzer, which ends the process."""
    if name := os.environ.get(INNER):
        _fuzz(name, sys.argv[1:])
    name, work = sys.argv[1], os.environ.get("BEARERKIT_FUZZ_WORK") or tempfile.mkdtemp(prefix="bearerkit-fuzz-")
    found = Path(work, name)
    found.mkdir(parents=True, exist_ok=True)
    kept = HERE / "corpus" / name
    if sys.argv[2:3] == ["merge"]:
        _merge(name, kept, found)
        return
    limits = [f"-max_total_time={(sys.argv[2:3] or ['60'])[0]}", f"-artifact_prefix={work}/", f"-max_len={LONGEST}"]
    _fuzz(name, [str(found), str(kept), *limits, "-timeout=20", "-print_final_stats=1", *sys.argv[3:]])


def _merge(name: str, kept: Path, found: Path) -> None:
    os.environ[INNER] = name
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with tempfile.TemporaryDirectory() as merged:
        if os.fork() == 0:
            _fuzz(name, ["-set_cover_merge=1", f"-max_len={LONGEST}", merged, str(kept), str(found)])
        os.wait()
        inputs = sorted(Path(merged).iterdir())
        if not inputs:
            raise SystemExit("libFuzzer merged nothing; is this file executable?")
        for old in kept.iterdir():
            old.unlink()
        for number, path in enumerate(sorted(inputs, key=lambda path: (path.stat().st_size, path.name))):
            shutil.copyfile(path, kept / f"{number:03}")


def _fuzz(name: str, options: list[str]) -> None:
    atheris.Setup([str(Path(__file__).resolve()), *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
