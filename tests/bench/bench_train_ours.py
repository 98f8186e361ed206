"""Our training on a case, in a process of its own: `… FOLDER CASE RESULT`. RESULT gets the figures."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from bench_train_common import (  # noqa: E402
    CASES,
    THREADS,
    Meter,
    base_of,
    bytes_of,
    features_of,
    held_out_loss,
    peak_memory,
    settings_of,
)

from engine.control import Control  # noqa: E402
from engine.events import Event, Saved, Step  # noqa: E402
from engine.training import checkpoint  # noqa: E402


def loop_of(folder: Path, name: str, run: Path, meter: Meter, saved: list[Saved]) -> Any:
    """The loop of a case, built as `engine.xtts.train` builds it."""
    import torch

    from engine.training import precision, rng
    from engine.training.loop import Loop
    from engine.xtts import load
    from engine.xtts.model import prepare_for_training
    from engine.xtts.task import XttsTask

    def emit(event: Event) -> None:
        if isinstance(event, Step):
            meter.step_ended(event.epoch, event.clips)
        if isinstance(event, Saved):
            saved.append(event)

    base, settings = base_of(folder, name), settings_of(name)
    place = precision.choose(settings.device, settings.precision)
    features = features_of(folder, name)
    torch.set_num_threads(THREADS)
    rng.seed_all(settings.seed)
    gpt = load.gpt_of(base)
    prepare_for_training(gpt, settings.dropout)
    gpt.to(place.device).train()
    task = XttsTask(gpt, features, load.mel_stats_of(base), settings, place)
    return Loop(
        task, settings, place, run, emit, Control(), {},
        start_weights=lambda: load.gpt_of(base).state_dict(),
    )  # fmt: skip


def resume_seconds(folder: Path, name: str, run: Path) -> float:
    """What it takes to stand where the newest checkpoint stands, every byte of it verified."""
    begun = time.perf_counter()
    found = checkpoint.newest(run, lambda: None)
    assert found is not None
    loop_of(folder, name, run, Meter(), []).restore(found[0])
    return time.perf_counter() - begun


def main() -> None:
    folder, name, result = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    run = folder / "ours"
    shutil.rmtree(run, ignore_errors=True)
    meter, saved = Meter(), list[Saved]()
    loop = loop_of(folder, name, run, meter, saved)
    meter.watch(loop.task.model)
    for epoch in range(CASES[name].epochs):
        for micro in loop.task.epoch(epoch):
            meter.counted(len(micro.clips), sum(micro.targets.values()))
    loop.run()
    figures = {
        "clips_per_second": meter.clips_per_second,
        "padding": meter.padding,
        "memory": peak_memory(),
        "loss": held_out_loss(loop.task.model, folder, name),
        "save_seconds": saved[-1].seconds,
        "save_bytes": bytes_of(run / checkpoint.FOLDER / saved[-1].checkpoint),
        "best_seconds": saved[-1].seconds,
        "best_bytes": bytes_of(checkpoint.pick(run, "best").folder),
    }
    del loop
    figures["resume_seconds"] = resume_seconds(folder, name, run)
    result.write_text(json.dumps(figures), "utf-8")


if __name__ == "__main__":
    main()
