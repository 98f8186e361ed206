"""What training gives beside coqui's own trainer, and what each lever of ours does. Prints the README's tables.

    uv run python tests/bench/train.py DIR                everything but full; twelve minutes on two cores
    uv run python tests/bench/train.py DIR full           the base of 30 x 1024, some steps (20 GB of memory, 25 GB of disk)
    uv run python tests/bench/train.py DIR speed table    only these parts
    uv run python tests/bench/train.py DIR --rounds 1     each once instead of five times

DIR takes a base of random weights, made clips of 2 to 11 s, and what both trained. Both take batches
of 4 in fp32 with AdamW at one constant rate on 2 threads, and keep their own defaults in all else;
each run is a process of its own and the two take turns (A B A B …). The held-out loss of both is
measured by the same code of ours. `bench_train_coqui.py` tells how coqui's trainer is set.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import bench_train_common as common  # noqa: E402
from bench_parts import options_of  # noqa: E402

SIDES = ("ours", "coqui")
USUAL = ("make", "speed", "loss", "levers", "table")
PARTS = (*USUAL, "full")
Figures = dict[str, float]


class Bench:
    """The base and the clips in one folder, and the figures that both sides gave."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        (self.folder / "home").mkdir(parents=True, exist_ok=True)

    def make(self, *names: str) -> None:
        for name in names:
            common.make(self.folder, name)

    def compare(self, case: str, rounds: int) -> None:
        """Train a case by both sides in turn."""
        for side in SIDES:
            self._kept(case, side).write_text("[]", "utf-8")
        for _ in range(rounds):
            for side in SIDES:
                found = self._run(side, case)
                kept = self._kept(case, side)
                kept.write_text(json.dumps([*json.loads(kept.read_bytes()), found]), "utf-8")
                print(f"{case}, {side}: {found['clips_per_second']:.2f} clips/s", file=sys.stderr)

    def levers(self, passes: int) -> None:
        found = self._run("levers", "speed", str(passes))
        (self.folder / "levers.json").write_text(json.dumps(found), "utf-8")

    def _run(self, script: str, case: str, *more: str) -> dict[str, float]:
        result = self.folder / f"{script}.result.json"
        result.unlink(missing_ok=True)
        # What the run before wrote is not this one's to wait for.
        os.sync()
        with (self.folder / f"{script}.log").open("wb") as log:
            subprocess.run(
                [
                    sys.executable,
                    str(HERE / f"bench_train_{script}.py"),
                    str(self.folder),
                    case,
                    str(result),
                    *more,
                ],
                check=True,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"HOME": str(self.folder / "home")},
            )
        return dict(json.loads(result.read_bytes()))

    def _kept(self, case: str, side: str) -> Path:
        return self.folder / f"{case}.{side}.json"

    def _is_measured(self, case: str) -> bool:
        """Whether both sides trained a case to its end at least once."""
        kept = [self._kept(case, side) for side in SIDES]
        return all(path.exists() and json.loads(path.read_bytes()) for path in kept)

    def medians(self, case: str) -> list[Figures]:
        """The median of each figure of both sides."""
        both = []
        for side in SIDES:
            runs: list[Figures] = json.loads(self._kept(case, side).read_bytes())
            both.append({name: statistics.median(run[name] for run in runs) for name in runs[0]})
        return both

    def table(self) -> None:
        """Print the tables of the cases that were measured."""
        for case in common.CASES:
            if case != "loss" and self._is_measured(case):
                self._side_by_side(case)
        if (self.folder / "levers.json").exists():
            self._levers()

    def _side_by_side(self, case: str) -> None:
        size = common.CASES[case].size
        print(f"\n| {size.layers} layers x {size.channels} | voicetui | coqui | ratio | goal |")
        print("|---|---|---|---|---|")
        both = self.medians(case)
        for what, name, shown, goal in ROWS:
            _row(what, name, shown, goal, both)
        clips = common.CASES[case].train * common.CASES[case].epochs
        _row(f"held-out loss after {clips} clips", "loss", _plain, "", both)
        if case == "speed" and self._is_measured("loss"):
            longer = common.CASES["loss"]
            what = f"the same after {longer.train * longer.epochs} clips"
            _row(what, "loss", _plain, "1.01", self.medians("loss"))

    def _levers(self) -> None:
        levers = json.loads((self.folder / "levers.json").read_bytes())
        whole = next(iter(levers.values()))
        print("\n| one lever at a time | speed | peak memory |\n|---|---|---|")
        for name, found in levers.items():
            memory = found["memory"] / whole["memory"]
            print(f"| {name} | {found['speed']:.2f} x | {memory:.2f} x |")


def _row(
    what: str, name: str, shown: Callable[[float], str], goal: str, both: list[Figures]
) -> None:
    ours, coquis = (side[name] for side in both)
    print(f"| {what} | {shown(ours)} | {shown(coquis)} | {ours / coquis:.2f} | {goal} |")


def _plain(value: float) -> str:
    return f"{value:.3f}"


def _rate(value: float) -> str:
    return f"{value:.2f}/s"


def _seconds(value: float) -> str:
    return f"{value:.1f} s"


def _size(value: float) -> str:
    return f"{value / 1e9:.2f} GB"


ROWS: tuple[tuple[str, str, Callable[[float], str], str], ...] = (
    ("clips trained", "clips_per_second", _rate, "1.5"),
    ("computed places per useful one", "padding", _plain, ""),
    ("peak memory", "memory", _size, "0.75"),
    ("a checkpoint", "save_bytes", _size, ""),
    ("writing it (ours is hashed and synced)", "save_seconds", _seconds, ""),
    ("what the best one takes", "best_bytes", _size, "0.5"),
    ("writing the best one", "best_seconds", _seconds, ""),
    ("resuming from one (ours is verified)", "resume_seconds", _seconds, ""),
)


def main() -> None:
    folder, parts, rounds = options_of(__doc__, PARTS, USUAL, 5)
    begun = time.perf_counter()
    bench = Bench(folder)
    if "make" in parts:
        bench.make("speed", "loss")
    if "speed" in parts:
        bench.compare("speed", rounds)
    if "loss" in parts:
        bench.compare("loss", 1)
    if "levers" in parts:
        bench.levers(rounds)
    if "full" in parts:
        bench.make("full")
        bench.compare("full", 1)
    if {"table", "full"} & set(parts):
        bench.table()
    print(f"\nmeasured in {time.perf_counter() - begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
