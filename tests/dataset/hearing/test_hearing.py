from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers_hearing import Babbler

from engine import eventlog, jobs
from engine import project as projects
from engine.audio.speech import Span
from engine.dataset.clips import Reason
from engine.dataset.hearing import transcripts
from engine.dataset.hearing.chunks import Chunk, pack
from engine.dataset.hearing.hear import Hearing
from engine.dataset.hearing.second import Take
from engine.dataset.hearing.transcripts import Heard
from engine.dataset.pulse import Pulse
from engine.events import Event, Retranscribed, Warned
from engine.jobs import Job

SPANS = [Span(1.0, 6.0), Span(8.0, 12.0)]
LEVELS = np.full(1400, -20.0, np.float32)


class Linguist(Babbler):
    """Tells languages apart, and counts what it is asked to hear again."""

    def __init__(self, languages: dict[str, float]) -> None:
        super().__init__()
        self._languages = languages
        self.again = 0

    def transcribe(
        self, audio: Path, chunks: Sequence[Chunk], language: str, *, careful: bool = False
    ) -> Iterator[tuple[int, Heard]]:
        assert language == "en"
        self.again += careful
        for index, heard in super().transcribe(audio, chunks, language, careful=careful):
            yield index, replace(heard, languages=self._languages)


def hear(folder: Path, base: Path, listener: Linguist) -> tuple[list[Take], list[Event]]:
    project = projects.create(
        folder / "anna", name="Anna", language="en", sources=[folder], base=str(base), values={}
    )
    job = Job(jobs.new_folder(project.jobs_dir, "prepare"), "prepare")
    hearing = Hearing(project, job, Pulse(job), None, listener)
    chunks = pack(SPANS, LEVELS, 14.0)
    transcript = transcripts.start(folder / "t.jsonl", 14.0, SPANS, chunks)
    takes = hearing.takes(transcript, LEVELS, folder / "speech.f32", "one.wav")
    hearing.close()
    job.close()
    log = eventlog.read_all(job.folder / jobs.LOG_NAME)
    return takes, [record.event for record in log]


@pytest.mark.parametrize(
    ("languages", "doubt", "fault"),
    [
        ({"en": 0.9, "de": 0.1}, None, None),
        ({"de": 0.8, "en": 0.2}, Reason.LANGUAGE, None),
        ({"de": 0.96, "en": 0.02}, None, Reason.LANGUAGE),
        ({}, None, None),
    ],
)
def test_another_language_makes_suspects_or_is_dropped(
    languages: dict[str, float],
    doubt: Reason | None,
    fault: Reason | None,
    tiny_base: Path,
    tmp_path: Path,
) -> None:
    listener = Linguist(languages)
    takes, events = hear(tmp_path, tiny_base, listener)
    assert len(takes) > 1
    assert {(take.doubt, take.fault) for take in takes} == {(doubt, fault)}
    codes = [event.code for event in events if isinstance(event, Warned)]
    assert codes == (["language_mismatch"] if doubt or fault else [])
    if fault:
        assert not listener.again, "nothing is heard twice that is dropped anyway"
    assert bool(listener.again) == any(isinstance(event, Retranscribed) for event in events)
