"""The command line of the benches that have parts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def options_of(
    described: str | None, parts: Sequence[str], usual: Sequence[str], rounds: int
) -> tuple[Path, list[str], int]:
    """The folder, the parts that were asked for (else the usual ones), and the rounds."""
    parser = argparse.ArgumentParser(
        description=described, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}")
    parser.add_argument("--rounds", type=int, default=rounds)
    options = parser.parse_args()
    chosen = options.parts or list(usual)
    if unknown := set(chosen) - set(parts):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return options.folder, chosen, options.rounds
