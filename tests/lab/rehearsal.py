"""The whole road once at full size, and what it costs: `uv run python tests/lab/rehearsal.py DIR`.

A base of random weights in the published layout (30 layers x 1024, 1.9 GB) goes through
preparation, features, three steps at batch 2, a checkpoint, kill -9, resume, export, a strict load
in stock coqui, and speech. Each stage is a process of its own, measured from outside (wall time,
peak memory) and from inside (the longest time that its main thread was held up while the work ran
in a worker thread). Importing torch and coqui, which no code of ours can do in smaller pieces, is a
stage by itself, done before the others are watched. The table is printed as Markdown. Wants about 20 GB of disk and 16 GB of RAM.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICK_SECONDS = 0.005


@dataclass(frozen=True)
class Row:
    """One line of the table: seconds, bytes, bytes, seconds."""

    stage: str
    wall: float
    memory: int
    disk: int
    held_up: float


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _held_up(work: Callable[[], Any]) -> tuple[Any, float]:
    """Run `work` in a thread; give its result and the longest pause of this, the main one."""
    result: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    longest, last = 0.0, time.perf_counter()
    while thread.is_alive():
        time.sleep(TICK_SECONDS)
        now = time.perf_counter()
        longest, last = max(longest, now - last - TICK_SECONDS), now
    if failure:
        raise failure[0]
    return result[0], longest


# --- the stages, each in a process of its own -----------------------------------------------------


def _imports(folder: Path) -> None:
    """What every later stage needs."""
    import TTS.tts.models.xtts  # noqa: F401


def _base(folder: Path) -> None:
    from engine.xtts import random_base

    random_base.make(folder / "base", random_base.FULL)


def _project(folder: Path) -> Any:
    from engine import project as projects
    from engine.project import FILE_NAME

    home = folder / "voice"
    if (home / FILE_NAME).exists():
        return projects.load(home)
    speech = Path(__file__).parents[2] / "voicetui" / "demo" / "speech"
    values = {
        "training.epochs": 1,
        "training.batch_size": 2,
        "training.device": "cpu",
        "training.save_every_steps": 3,
        "training.keep_checkpoints": 1,
    }
    return projects.create(
        home,
        name="Rehearsal",
        language="en",
        sources=[speech],
        base=str(folder / "base"),
        values=values,
    )


def _finish(session: Any) -> None:
    session.start()
    outcome = session.wait()
    if outcome.error is not None:
        raise outcome.error


def _prepare(folder: Path) -> None:
    from engine.dataset import prepare

    _finish(prepare.session(_project(folder)))


def _stop_at(folder: Path, kind: str, count: int) -> None:
    """Train until `count` events of a kind were seen, then stop safely."""
    from engine.errors import StopRequested
    from engine.xtts import train

    session = train.session(_project(folder))
    seen = 0

    def watch(record: Any) -> None:
        nonlocal seen
        seen += record.kind == kind
        if seen >= count:
            session.stop("SIGTERM")

    session.job.subscribe(watch)
    session.start()
    outcome = session.wait()
    if not isinstance(outcome.error, StopRequested):
        raise outcome.error or RuntimeError("the run ended before it was stopped")


def _features(folder: Path) -> None:
    """Everything before the first step: features are made, the network is loaded."""
    _stop_at(folder, "parameters", 1)


def _train(folder: Path) -> None:
    """Three steps and their checkpoint; then this process kills itself."""
    from engine.xtts import train

    session = train.session(_project(folder))
    saved = threading.Event()
    session.job.subscribe(lambda record: saved.set() if record.kind == "saved" else None)
    session.start()
    while not saved.wait(1):
        outcome = session.wait(0)
        if outcome is not None:
            raise outcome.error or RuntimeError("the run ended without a checkpoint")


def _resume(folder: Path) -> None:
    _stop_at(folder, "step", 1)


def _export(folder: Path) -> None:
    from engine.xtts import export

    _finish(export.session(_project(folder), checkpoint="last", force=True))


def _stock(folder: Path) -> None:
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.models.xtts import Xtts

    exported = folder / "voice" / "export" / "Rehearsal"
    config = XttsConfig()
    config.load_json(str(exported / "config.json"))
    Xtts(config).load_checkpoint(config, checkpoint_dir=exported, eval=True, strict=True)


def _say(folder: Path) -> None:
    from engine.xtts import speak

    speak.say(_project(folder), "This is a rehearsal.", folder / "said.wav", which="last")


IMPORTS = "import torch and coqui"
STAGES: dict[str, Callable[[Path], None]] = {
    IMPORTS: _imports,
    "make the base": _base,
    "prepare": _prepare,
    "features, load": _features,
    "3 steps at batch 2, checkpoint, kill -9": _train,
    "resume, 1 step, checkpoint": _resume,
    "export": _export,
    "strict load in stock coqui": _stock,
    "say": _say,
}


def _child(stage: str, folder: Path) -> None:
    if stage != IMPORTS:
        _imports(folder)
    _, held_up = _held_up(lambda: STAGES[stage](folder))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"memory": memory, "held_up": held_up}), flush=True)
    if stage.endswith("kill -9"):
        os.kill(os.getpid(), signal.SIGKILL)


def _measure(stage: str, folder: Path) -> Row:
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, str(folder), stage],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "XDG_CACHE_HOME": str(folder / "xdg-cache")},
    )
    wall = time.perf_counter() - begun
    wanted = -signal.SIGKILL if stage.endswith("kill -9") else 0
    if done.returncode != wanted:
        raise SystemExit(f"{stage} ended with {done.returncode}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return Row(stage, wall, answer["memory"], _size(folder), answer["held_up"])


def main() -> None:
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        _child(sys.argv[2], folder)
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print("| stage | wall time | peak memory | disk used so far | main thread held up |")
    print("|---|---|---|---|---|", flush=True)
    for stage in STAGES:
        row = _measure(stage, folder)
        print(
            f"| {row.stage} | {row.wall:.0f} s | {row.memory / 1e9:.1f} GB "
            f"| {row.disk / 1e9:.1f} GB | {1000 * row.held_up:.0f} ms |",
            flush=True,
        )


if __name__ == "__main__":
    main()
