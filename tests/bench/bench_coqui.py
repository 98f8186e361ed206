"""coqui's own formatter, `format_audio_list`, on the recordings of a folder: `… OUT MODEL THREADS FILE…`.

Its cutting is as it was installed. What it fixes and this machine lacks is replaced from outside:

- `WhisperModel("large-v2", compute_type="float16")` gets the folder MODEL, int8, the CPU and THREADS;
- torch has THREADS threads instead of 16;
- `torchaudio.save` is called as it is, and where in its recording each clip lies is noted;
- pandas, which coqui-tts does not install, is a stand-in that holds the columns and writes the CSVs.

OUT gets the dataset and `clips.json`: recording, start, end (seconds) and text of each kept clip.
"""

from __future__ import annotations

import csv
import importlib
import json
import random
import sys
import types
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any


class _Frame:
    """As much of a DataFrame as the formatter asks for."""

    def __init__(self, columns: dict[str, list[str]]) -> None:
        self._names = list(columns)
        self._rows = list(zip(*columns.values(), strict=True))

    def _with(self, rows: list[tuple[str, ...]]) -> _Frame:
        other = _Frame({name: [] for name in self._names})
        other._rows = rows
        return other

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, part: slice) -> _Frame:
        return self._with(self._rows[part])

    def sample(self, frac: int) -> _Frame:
        return self._with(random.sample(self._rows, frac * len(self._rows)))

    def sort_values(self, name: str) -> _Frame:
        return self._with(sorted(self._rows, key=lambda row: row[self._names.index(name)]))

    def to_csv(self, path: str, sep: str, index: bool) -> None:
        assert not index
        with open(path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=sep).writerows([self._names, *self._rows])


def _formatter() -> Any:
    """The formatter's module; what else asks for pandas still finds none."""
    importlib.import_module("TTS.tts.layers.xtts.tokenizer")
    pandas: Any = types.ModuleType("pandas")
    pandas.__spec__ = ModuleSpec("pandas", None)
    pandas.DataFrame = _Frame
    sys.modules["pandas"] = pandas
    try:
        return importlib.import_module("TTS.demos.xtts_ft_demo.utils.formatter")
    finally:
        del sys.modules["pandas"]


def main() -> None:
    out, model, threads, *files = sys.argv[1:]
    formatter = _formatter()
    formatter.torch.set_num_threads(int(threads))
    whisper, save = formatter.WhisperModel, formatter.torchaudio.save
    formatter.WhisperModel = lambda *_, **__: whisper(
        model, device="cpu", compute_type="int8", cpu_threads=int(threads)
    )
    places: dict[str, tuple[float, float]] = {}

    def noted(path: str, audio: Any, rate: int) -> None:
        # A clip is a view of its recording's samples.
        first = audio.storage_offset()
        places[Path(path).name] = (first / rate, (first + audio.shape[-1]) / rate)
        save(path, audio, rate)

    formatter.torchaudio.save = noted
    tables = formatter.format_audio_list(files, target_language="en", out_path=out)[:2]
    recordings = {Path(file).stem: Path(file).name for file in files}
    clips = []
    for table in tables:
        with open(table, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="|"):
                name = Path(row["audio_file"]).name
                start, end = places[name]
                clips.append([recordings[name.rpartition("_")[0]], start, end, row["text"]])
    Path(out, "clips.json").write_text(json.dumps(sorted(clips)), "utf-8")


if __name__ == "__main__":
    main()
