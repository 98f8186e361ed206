from __future__ import annotations

from pathlib import Path

import pytest

from engine.audio.speech import Span
from engine.dataset.clips import Word
from engine.dataset.hearing import transcripts
from engine.dataset.hearing.chunks import Chunk
from engine.dataset.hearing.transcripts import Heard, Segment

SPANS = [Span(0.5, 20.0), Span(21.0, 40.0)]
CHUNKS = [Chunk((Span(0.4, 8.2), Span(9.0, 20.2))), Chunk((Span(20.8, 40.2),))]
AGAIN = Chunk((Span(1.0, 2.5), Span(5.0, 5.5)))
SEGMENTS = (Segment(0.5, 19.8, (Word(" Été", 0.5, 1.0, 0.75),), -0.2, 0.01, 1.25),)
HEARD = Heard(SEGMENTS, {"fr": 0.9, "en": 0.05})


def test_chunks_are_kept_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    made = transcripts.start(path, 41.5, SPANS, CHUNKS)
    made.add(1, HEARD)
    found = transcripts.load(path)
    assert found is not None
    assert found.missing == [0]
    found.add(0, Heard(()))
    found.add_again(AGAIN, SEGMENTS)
    whole = transcripts.load(path)
    assert whole is not None
    assert whole.missing == []
    assert whole.segments == list(SEGMENTS)
    assert whole.again == {AGAIN: SEGMENTS}
    assert (whole.seconds, whole.spans, whole.chunks) == (41.5, tuple(SPANS), tuple(CHUNKS))
    assert whole.speech_seconds == 38.5


def test_a_torn_last_line_is_heard_again(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    made = transcripts.start(path, 41.5, SPANS, CHUNKS)
    made.add(0, HEARD)
    made.add(1, HEARD)
    path.write_bytes(path.read_bytes()[:-10])
    found = transcripts.load(path)
    assert found is not None
    assert found.missing == [1]
    found.add(1, HEARD)
    again = transcripts.load(path)
    assert again is not None
    assert again.missing == []


@pytest.mark.parametrize("content", [b"", b"{}\n", b"nonsense\n", b'{"v":99}\n', b"[1]\n"])
def test_what_is_no_transcript_is_made_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(content)
    assert transcripts.load(path) is None
    assert transcripts.load(tmp_path / "none.jsonl") is None


def test_the_language_of_a_recording_is_that_of_its_chunks(tmp_path: Path) -> None:
    chunks = [Chunk((Span(0.0, 30.0),)), Chunk((Span(40.0, 50.0),)), Chunk((Span(60.0, 70.0),))]
    made = transcripts.start(tmp_path / "t.jsonl", 80.0, SPANS, chunks)
    made.add(0, Heard((), {"de": 0.96, "nl": 0.04, "xx": 0.0001}))
    made.add(1, Heard((), {"en": 0.8, "de": 0.2}))
    made.add(2, Heard(()))
    found = transcripts.load(tmp_path / "t.jsonl")
    assert found is not None
    assert found.languages == pytest.approx({"de": 0.77, "nl": 0.03, "en": 0.2})
