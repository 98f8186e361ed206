"""What preparation gives beside coqui's own formatter. Prints the README's table.

    uv run python tests/bench/prepare.py DIR                everything; twelve minutes on two cores
    uv run python tests/bench/prepare.py DIR make           only the recordings (kept when there)
    uv run python tests/bench/prepare.py DIR ours table     only these parts
    uv run python tests/bench/prepare.py DIR --rounds 1     each once instead of three times

DIR takes 21 minutes of speech by flite and espeak-ng in seven files, whose words and times are
known, and what both made of it. Both use the same Whisper weights (tiny.en, int8) and all cores of
the CPU; each run is a process of its own, from nothing but the recordings, and the two take turns
(A B A B …). `bench_coqui.py` tells what was replaced around coqui's code.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import bench_recordings  # noqa: E402
from bench_parts import options_of  # noqa: E402
from bench_scores import Kept, Scores, scores  # noqa: E402

from engine import project as projects  # noqa: E402
from engine.dataset import clips  # noqa: E402
from engine.dataset.hearing import asr_models  # noqa: E402

VOICETUI = str(Path(sys.executable).with_name("voicetui"))
SIDES = ("ours", "coqui")
PARTS = ("make", *SIDES, "table")
THREADS = len(os.sched_getaffinity(0))


class Cost(NamedTuple):
    """Seconds of the clock and of the CPU, all processes and threads together."""

    wall: float
    cpu: float


class Bench:
    """The recordings in one folder, and what both made of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.recordings = self.folder / "recordings"
        self.model = asr_models.resolve("tiny.en", "en", 0).folder

    def make(self) -> None:
        bench_recordings.make(self.recordings)
        if not (self.folder / "base").exists():
            from engine.xtts import random_base

            random_base.make(self.folder / "base")

    def ours(self) -> Cost:
        """What `voicetui prepare` costs on a new project."""
        shutil.rmtree(self.folder / "ours", ignore_errors=True)
        values = {"asr_model": str(self.model), "asr_device": "cpu", "asr_compute": "int8"}
        project = projects.create(
            self.folder / "ours",
            name="Bench",
            language="en",
            sources=[known.path for known in bench_recordings.known(self.recordings)],
            base=str(self.folder / "base"),
            values={f"dataset.{key}": value for key, value in values.items()},
        )
        return self._timed("ours", VOICETUI, "prepare", str(project.folder), "--plain")

    def coqui(self) -> Cost:
        """What coqui's formatter costs."""
        out = self.folder / "coqui"
        shutil.rmtree(out, ignore_errors=True)
        script = str(Path(__file__).with_name("bench_coqui.py"))
        files = [str(known.path) for known in bench_recordings.known(self.recordings)]
        return self._timed(
            "coqui", sys.executable, script, str(out), str(self.model), str(THREADS), *files
        )

    def _timed(self, name: str, *command: str) -> Cost:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        with (self.folder / f"{name}.log").open("wb") as log:
            subprocess.run(
                command,
                check=True,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"HOME": str(home)},
            )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Cost(time.perf_counter() - begun, cpu)

    def costs(self, name: str) -> list[Cost]:
        """What the runs of one side cost."""
        return [Cost(*cost) for cost in json.loads(self._costs_of(name).read_text("utf-8"))]

    def keep(self, name: str, costs: list[Cost]) -> None:
        self._costs_of(name).write_text(json.dumps(costs), "utf-8")

    def _costs_of(self, name: str) -> Path:
        return self.folder / f"{name}.costs.json"

    def clips_of(self, name: str) -> list[Kept]:
        """What the last run of one side kept."""
        if name == "coqui":
            rows = json.loads((self.folder / "coqui" / "clips.json").read_text("utf-8"))
            return [Kept(*row) for row in rows]
        table = clips.read(self.folder / "ours" / "dataset")
        return [
            Kept(Path(clip.source.path).name, clip.start, clip.end, clip.text)
            for clip in table
            if clip.state != "dropped"
        ]

    def table(self) -> None:
        known = bench_recordings.known(self.recordings)
        both = [scores(known, self.clips_of(name)) for name in SIDES]
        costs = [
            [statistics.median(of) for of in zip(*self.costs(name), strict=True)] for name in SIDES
        ]
        walls, cpus = zip(*costs, strict=True)
        minutes = sum(recording.seconds for recording in known) / 60
        print(f"| {minutes:.0f} minutes of speech | voicetui | coqui | goal |\n|---|---|---|---|")
        print(f"| wall time | {walls[0]:.0f} s | {walls[1]:.0f} s | |")
        print(f"| speed | {walls[1] / walls[0]:.2f} x | 1 | 1.5 x |")
        print(f"| CPU time of all threads | {cpus[0]:.0f} s | {cpus[1]:.0f} s | |")
        for what, figure, goal in ROWS:
            print(f"| {what} | {figure(both[0])} | {figure(both[1])} | {goal} |")


def _percent(name: str) -> Callable[[Scores], str]:
    return lambda found: f"{100 * getattr(found, name):.2f} %"


ROWS: tuple[tuple[str, Callable[[Scores], str], str], ...] = (
    ("clips kept", lambda s: f"{s.clips}, {s.seconds / 60:.1f} min", ""),
    ("word error rate of all kept text", _percent("word_errors"), "coqui's + 0.3 points"),
    ("the same, clip by clip", _percent("clip_errors"), "coqui's + 0.3 points"),
    ("edges more than 20 ms inside a word", _percent("cut_edges"), "1 %"),
    ("edges in loud sound", _percent("loud_edges"), ""),
    ("clips over 11.6 s", lambda s: f"{s.too_long}", "0"),
    ("clips under 1 s", lambda s: f"{s.too_short}", "0"),
    ("speech kept", _percent("speech_kept"), "99 %"),
)


def main() -> None:
    folder, parts, rounds = options_of(__doc__, PARTS, PARTS, 3)
    begun = time.perf_counter()
    bench = Bench(folder)
    if "make" in parts:
        bench.make()
    runs = {"ours": bench.ours, "coqui": bench.coqui}
    costs: dict[str, list[Cost]] = {name: [] for name in SIDES if name in parts}
    for _ in range(rounds):
        for name, done in costs.items():
            done.append(runs[name]())
            bench.keep(name, done)
            print(f"{name}: {done[-1].wall:.0f} s", file=sys.stderr)
    if "table" in parts:
        bench.table()
    print(f"\nmeasured in {time.perf_counter() - begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
