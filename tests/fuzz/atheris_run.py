#!/usr/bin/env python3
"""Fuzz one target by coverage: `python tests/fuzz/atheris_run.py compact [SECONDS] [libFuzzer options]`.

Starts from the kept corpus and keeps what it finds in a folder of its own (FUZZ_WORK, else a temporary one), so that
the corpus changes only when somebody merges it: `… compact 0 merge` writes the smallest set of inputs that reaches
all that both folders reach. A finding ends the run with the traceback; libFuzzer's file with the input is named.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
with atheris.instrument_imports(include=["bearerkit", "fuzz"]):
    from fuzz.targets import TARGETS


def main() -> None:
    """Run libFuzzer; it ends the process."""
    name, seconds, *options = [*sys.argv[1:], "60"][: max(2, len(sys.argv) - 1)]
    work = Path(os.environ.get("FUZZ_WORK") or tempfile.mkdtemp(prefix="bearerkit-fuzz-"), name)
    work.mkdir(parents=True, exist_ok=True)
    kept = HERE / "corpus" / name
    command = [sys.argv[0], str(work), str(kept), f"-max_total_time={seconds}", f"-artifact_prefix={work.parent}/"]
    command += ["-print_final_stats=1", "-max_len=600", "-timeout=20", *options]
    atheris.Setup(command, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
