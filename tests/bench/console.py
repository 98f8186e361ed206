"""What the console costs, measured through a real pseudo-terminal. Prints the README's table.

    uv run python tests/bench/console.py DIR            all figures; about ten minutes on two cores
    uv run python tests/bench/console.py DIR start idle only these

DIR takes the projects that are measured; called again, it uses them as they are. Comparisons run
interleaved (A B A B …) in one go, and give the median of five.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from bench_tty import Tty  # noqa: E402

from engine.eventlog import read_all  # noqa: E402
from engine.events import Step  # noqa: E402

VOICETUI = str(Path(sys.executable).with_name("voicetui"))
ROUNDS = 5
CLIPS = 50_000
PROJECTS = 200
LOG_LINES = 1_000_000
# The chart's legend, with a value.
_SMOOTHED = re.compile(rb"smoothed[^.]{0,60}\d\.\d")
_BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("voicetui ready")
Bare().run()
"""


@dataclass(frozen=True)
class Figure:
    """A line of the table: what, how much, and what was asked for."""

    what: str
    measured: str
    goal: str


class Bench:
    """The projects in one folder, and the figures that they give."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.home = self.folder / "home"
        self.home.mkdir(parents=True, exist_ok=True)

    def open(self, *arguments: str, columns: int = 120, rows: int = 40) -> Tty:
        return Tty([VOICETUI, *arguments], columns=columns, rows=rows, home=self.home)

    # --- the projects ---------------------------------------------------------------------------

    @property
    def voice(self) -> Path:
        """The demo's project: prepared, with a tiny base."""
        voice = self.folder / "demo" / "voice"
        if not (voice / "export").is_dir():
            subprocess.run(
                [VOICETUI, "demo", "--plain", "--dir", str(self.folder / "demo")],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        return voice

    @property
    def large(self) -> Path:
        """A project of 50,000 clips."""
        from helpers_clips import clips_project

        folder = self.folder / "large"
        if not (folder / "project.toml").exists():
            clips_project(folder, CLIPS, wavs=False)
        return folder

    # --- figures --------------------------------------------------------------------------------

    def start(self) -> list[Figure]:
        """First screen beside a bare Textual app, and memory before torch."""
        bare, ours, sizes, paints = [], [], [], []
        for _ in range(ROUNDS):
            tty = Tty([sys.executable, "-c", _BARE], home=self.home)
            bare.append(tty.wait_for(b"ready"))
            tty.close()
            tty = self.open()
            ours.append(tty.wait_for(b"projects"))
            tty.settle()
            paints.append(tty.written)
            sizes.append(tty.memory())
            if tty.has_mapped("libtorch"):
                raise RuntimeError("torch is loaded before anything needs it")
            tty.close()
        ratio = statistics.median(ours) / statistics.median(bare)
        return [
            Figure(
                "first screen",
                f"{statistics.median(ours):.2f} s ({ratio:.1f} x a bare Textual app)",
                "0.8 s",
            ),
            Figure("memory before torch", f"{statistics.median(sizes) / 1e6:.0f} MB", "90 MB"),
            Figure("first paint of Home", f"{statistics.median(paints) / 1e3:.1f} kB", "40 kB"),
        ]

    def idle(self) -> list[Figure]:
        """CPU and bytes of a console that shows Home and does nothing."""
        tty = self.open()
        tty.wait_for(b"projects")
        tty.settle(1.0)
        before = tty.cpu()
        written = tty.watch(10)
        share = (tty.cpu() - before) / 10
        tty.close()
        return [
            Figure("idle CPU", f"{100 * share:.1f} %", "1 %"),
            Figure("idle output", f"{written / 10:.0f} B/s", "0 B/s"),
        ]

    def review(self) -> list[Figure]:
        """Keys in the review of 50,000 clips."""
        self._remember(self.large)
        tty = self.open()
        tty.wait_for(b"Reviewed")
        begun = time.perf_counter()
        tty.press(b"d")
        tty.wait_for(b"50,000")
        seconds = time.perf_counter() - begun
        tty.settle(1.0)
        times = []
        for key in [b"j", b" ", b"\x1b[6~", b"\x1b[5~", b"G", b"g"] * 20:
            times.append(tty.latency(key))
            tty.settle(0.15)
        memory = tty.memory()
        tty.close()
        return [
            Figure(f"{CLIPS:,} clips listed after", f"{seconds:.1f} s", ""),
            Figure("key to screen there, p95", f"{1000 * _p95(times):.0f} ms", "40 ms"),
            Figure("memory with all of them", f"{memory / 1e6:.0f} MB", ""),
        ]

    def _remember(self, *projects: Path) -> None:
        """Put projects on Home."""
        script = "import sys; from pathlib import Path; from engine import recent\n"
        script += "for name in sys.argv[1:]: recent.remember(Path(name))"
        subprocess.run(
            [sys.executable, "-c", script, *map(str, projects)],
            check=True,
            env=os.environ | {"HOME": str(self.home)},
        )

    def live(self) -> list[Figure]:
        """Bytes and keys of the dashboard of a training that keeps both cores busy."""
        tty = self._train("10000")
        first = tty.written
        tty.wait_until(lambda: self._steps() > 5, "steps")
        tty.settle(0.2, within=2.0)
        written = tty.watch(20) / 20
        times = []
        for _ in range(50):
            times.append(tty.latency(b"l"))
            tty.watch(0.3)
        tty.press(b"\x03")
        code = tty.end()
        if code != 130:
            raise RuntimeError(f"the training ended with {code}")
        return [
            Figure("first paint of the dashboard, 120x40", f"{first / 1e3:.1f} kB", "40 kB"),
            Figure("live dashboard, 120x40", f"{written / 1e3:.1f} kB/s", "5 kB/s"),
            Figure("key to screen while training, p95", f"{1000 * _p95(times):.0f} ms", "80 ms"),
        ]

    def _train(self, epochs: str) -> Tty:
        tty = self.open("train", str(self.voice), "--fresh", "--set", f"epochs={epochs}")
        tty.wait_for(b"voicetui")
        tty.settle(0.5)
        return tty

    def _newest_log(self) -> Path:
        return max((self.voice / "runs").glob("*/events.jsonl"))

    def _steps(self) -> int:
        return sum(isinstance(record.event, Step) for record in read_all(self._newest_log()))

    def speed(self) -> list[Figure]:
        """Clips a second of the same run, plain and under the console."""
        plain, console = [], []
        for _ in range(ROUNDS):
            tty = self.open(
                "train",
                str(self.voice),
                "--fresh",
                "--plain",
                "--set",
                "epochs=40",
                "--set",
                "keep_checkpoints=1",
            )
            tty.end(180)
            plain.append(self._clips_per_second())
            tty = self.open(
                "train",
                str(self.voice),
                "--fresh",
                "--set",
                "epochs=40",
                "--set",
                "keep_checkpoints=1",
            )
            tty.wait_until(self._has_ended, "the end of the run", 180)
            console.append(self._clips_per_second())
            tty.press(b"q")
            tty.end()
        share = statistics.median(console) / statistics.median(plain)
        return [
            Figure(
                "clips/s under the console",
                f"{100 * share:.0f} % of --plain ({statistics.median(plain):.1f}/s)",
                "97 %",
            )
        ]

    def _has_ended(self) -> bool:
        records = read_all(self._newest_log())
        return bool(records) and records[-1].kind == "finished"

    def _clips_per_second(self) -> float:
        """From the tenth step to the last, evaluations and checkpoints included."""
        steps = [r for r in read_all(self._newest_log()) if isinstance(r.event, Step)][10:]
        clips = sum(record.event.clips for record in steps[1:])  # type: ignore[attr-defined]
        return clips / (steps[-1].t - steps[0].t)

    def log(self) -> list[Figure]:
        """The dashboard of a finished run of a million steps."""
        from long_log import make

        voice = self.folder / "long"
        run = voice / "runs" / "0001"
        if not run.exists():
            from helpers_jobs import make_project

            make_project(voice)
            run.mkdir(parents=True)
            make(run / "events.jsonl", LOG_LINES)
        subprocess.run([VOICETUI, "status", str(voice)], check=True, stdout=subprocess.DEVNULL)
        figures = [self._shown_after(voice, f"run of {LOG_LINES:,} events, chart and all", "2 s")]
        (run / "events.index").unlink()
        return [*figures, self._shown_after(voice, "the same without its index, state first", "")]

    def _shown_after(self, voice: Path, what: str, goal: str) -> Figure:
        tty = self.open("attach", str(voice))
        seconds = tty.wait_for(b"1,000,000")
        if goal:
            seconds = tty.wait_until(lambda: bool(_SMOOTHED.search(tty.seen)), "the chart")
        tty.close()
        return Figure(what, f"{seconds:.1f} s", goal)

    def home_list(self) -> list[Figure]:
        """Home with 200 projects."""
        from helpers_jobs import make_project

        folder = self.folder / "many"
        names = [f"{number:03d}" for number in range(PROJECTS)]
        if not folder.exists():
            for name in names:
                make_project(folder / f"voice-{name}", f"Voice {name}")
        self._remember(*(folder / f"voice-{name}" for name in names))
        tty = self.open()
        tty.wait_for(b"Voice 199")
        tty.press(b"G")
        seconds = tty.wait_for(b"Voice 000")
        tty.close()
        return [Figure(f"Home lists {PROJECTS} projects after", f"{seconds:.1f} s", "")]


def _p95(times: list[float]) -> float:
    return sorted(times)[int(0.95 * len(times))]


def main() -> None:
    folder, *chosen = sys.argv[1:] or sys.exit(__doc__)
    bench = Bench(Path(folder))
    parts: dict[str, Callable[[], list[Figure]]] = {
        "start": bench.start,
        "idle": bench.idle,
        "review": bench.review,
        "live": bench.live,
        "speed": bench.speed,
        "log": bench.log,
        "home": bench.home_list,
    }
    begun = time.perf_counter()
    print("| what | measured | goal |\n|---|---|---|", flush=True)
    for name in chosen or parts:
        for figure in parts[name]():
            print(f"| {figure.what} | {figure.measured} | {figure.goal} |", flush=True)
    print(f"\nmeasured in {time.perf_counter() - begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
