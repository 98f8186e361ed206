"""Clips of another voice than the project's: found by a speaker encoder, and made suspect.

The embeddings of a recording's clips lie in the project's cache, named by what was heard, so that
only new clips cost time. How near two clips are is judged anew each time, when all are known.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.audio import wav
from engine.audio.decode import Samples
from engine.audio.resample import resample
from engine.dataset.clips import RATE, Clip, Reason
from engine.dataset.cutting import CutSource
from engine.dataset.derive import merged
from engine.dataset.hearing.hear import short_hash
from engine.dataset.pulse import Pulse
from engine.dataset.sources import Source
from engine.dataset.voice_groups import Heard, Judged, Mask, Scale, Vectors, judge
from engine.events import Note, Stage, Warned
from engine.files import atomic_file, make_dirs, sweep
from engine.jobs import Job
from engine.project import Project
from engine.text import clean
from engine.xtts import base as bases
from engine.xtts import speaker

# Raised when the same wav would give another embedding.
_VERSION = 1
# Heard in half a second at most, so that a stop is seen soon.
_BATCH = 4
_LEAST_SECOND_SHARE = 0.3

# The packaged encoder, measured with synthetic voices (four of flite, two of espeak-ng) in clips of 1
# to 10 s. None of 1,435 clips of a host was suspect, nor any of a single voice whose recordings
# differ in noise (30 to 12 dB), echo, bandwidth, distortion, pitch or speed. Of a guest in the same
# recording none was missed from 1.6 s on, a sixth of the shorter clips was; but all are where two
# voices are as alike to the encoder as rms and awb of flite, 0.18. People vary more than synthetic
# voices, so the limits leave room. A base's encoder could not be measured without its weights: its
# limits are twice as wide, since its vectors spread over a whole sphere and not a part of it.
SCALES: dict[speaker.Kind, Scale] = {
    "packaged": Scale(alike=0.12, apart=0.25, blur=0.2),
    "base": Scale(alike=0.25, apart=0.5, blur=0.3),
}

Results = list[tuple[Source, CutSource]]


class Voices:
    """Hears who speaks in the clips of one project."""

    def __init__(self, project: Project, job: Job, pulse: Pulse) -> None:
        """Raises DamagedError and UnsafeFileError when the base's model.pth cannot be read."""
        self._job = job
        self._pulse = pulse
        self._folder = project.cache_dir / "voices"
        self._choice: speaker.Choice | None = None
        self._encoder: speaker.Encoder | None = None
        if project.settings.dataset.other_voices == "ignore":
            return
        make_dirs(self._folder)
        sweep(self._folder)
        self._choice = speaker.choose(
            bases.locate(project.base_reference), self._folder / "encoder.json"
        )
        if self._choice is None:
            job.emit(
                Note(
                    "no_voice_encoder",
                    "No voice encoder: other speakers are not looked for. The base has none that "
                    "is trained; install voicetui[voices], which brings one, and prepare again.",
                )
            )

    def judge(self, results: Results, wavs: Callable[[Source], Sequence[Path]]) -> Results:
        """The results with each clip's distance to the project's voice, `speaker` in its scores.

        Clips of another voice are suspect. `wavs` tells the folders where the wavs of a recording
        may lie. Raises BaseModelError, DamagedError, DiskFullError and StopRequested.
        """
        if self._choice is None:
            return results
        total = sum(clip.seconds for _, cut in results for clip in cut.kept)
        self._job.emit(Stage("voices", round(total, 2), "s"))
        done = 0.0
        heard, wanted = [], set()
        for source, cut in results:
            self._pulse.progress("voices", done, total, "s", clean(source.name))
            record = self._record(source, cut.kept)
            vectors = _load(record, cut.kept)
            if vectors is None:
                vectors = self._embed(source, cut.kept, wavs(source), done, total)
                _save(record, cut.kept, vectors)
            wanted.add(record)
            heard.append(Heard(vectors, _seconds(cut.kept)))
            done += sum(clip.seconds for clip in cut.kept)
        for record in set(self._folder.glob("*.npz")) - wanted:
            record.unlink()
        judged = judge(heard, SCALES[self._choice.kind])
        self._tell(judged)
        return [
            (source, _marked(cut, distances, others))
            for (source, cut), distances, others in zip(
                results, judged.distances, judged.others, strict=True
            )
        ]

    def _record(self, source: Source, listed: Sequence[Clip]) -> Path:
        assert self._choice is not None
        spans = [(clip.id, clip.end) for clip in listed]
        key = short_hash(_VERSION, self._choice.digest, spans)
        return self._folder / f"{source.sha256[:16]}-{key}.npz"

    def _embed(
        self,
        source: Source,
        listed: Sequence[Clip],
        folders: Sequence[Path],
        done: float,
        total: float,
    ) -> Vectors:
        assert self._choice is not None
        if not listed:
            return np.zeros((0, 0), np.float32)
        if self._encoder is None:
            self._encoder = speaker.load(self._choice)
        found = []
        for first in range(0, len(listed), _BATCH):
            batch = listed[first : first + _BATCH]
            found.append(self._encoder.embed([_audio(folders, clip.wav) for clip in batch]))
            done += sum(clip.seconds for clip in batch)
            self._pulse.progress("voices", done, total, "s", clean(source.name))
        return np.concatenate(found)

    def _tell(self, judged: Judged) -> None:
        both = judged.seconds + judged.other_seconds
        if judged.second_seconds < _LEAST_SECOND_SHARE * both or not judged.second_seconds:
            return
        self._job.emit(
            Warned(
                "second_voice",
                f"Two voices speak about as much: {judged.seconds:.0f} s and "
                f"{judged.second_seconds:.0f} s.",
                "A voice that is trained on both becomes a mixture. The one that speaks more is "
                "taken for the project's; clips of the other are suspect.",
                "Listen to the suspect clips in the review and drop those of the wrong person, or "
                "make a project for each of them. If it is one person, set dataset.other_voices "
                "to ignore.",
            )
        )


def _audio(folders: Sequence[Path], name: str) -> Samples:
    """A clip at the encoder's rate."""
    path = next(path for folder in folders if (path := folder / name).is_file())
    samples = wav.read(path, RATE).astype(np.float32) / np.float32(32768)
    return resample(samples, RATE, speaker.RATE)


def _seconds(listed: Sequence[Clip]) -> Vectors:
    return np.array([clip.seconds for clip in listed], np.float32)


def _marked(cut: CutSource, distances: Vectors, others: Mask) -> CutSource:
    """What a recording gave with the distances of its clips that are used, in their order."""
    judged = {
        clip.id: (round(float(far), 4), bool(other))
        for clip, far, other in zip(cut.kept, distances, others, strict=True)
    }
    return replace(
        cut,
        clips=tuple(
            _with(clip, *judged[clip.id]) if clip.id in judged else clip for clip in cut.clips
        ),
    )


def _with(clip: Clip, far: float, other: bool) -> Clip:
    clip = replace(clip, scores=merged(clip.scores, {"speaker": far}))
    if not other:
        return clip
    # Before any doubt about its text: that can be corrected, a voice cannot.
    return replace(clip, state="suspect", reason=Reason.OTHER_SPEAKER.value)


def _load(record: Path, listed: Sequence[Clip]) -> Vectors | None:
    """The embeddings of these clips, None where they are not in the cache."""
    try:
        with np.load(record) as content:
            ids, vectors = content["ids"], content["vectors"]
    except (FileNotFoundError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    same = [str(name) for name in ids] == [clip.id for clip in listed]
    return np.asarray(vectors, np.float32) if same and len(vectors) == len(listed) else None


def _save(record: Path, listed: Sequence[Clip], vectors: Vectors) -> None:
    ids = np.array([clip.id for clip in listed], dtype=str)
    with atomic_file(record) as handle:
        np.savez(handle, ids=ids, vectors=vectors)
