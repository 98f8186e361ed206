from __future__ import annotations

from pathlib import Path

import pytest

from engine.audio.speech import Span
from engine.dataset import transcripts
from engine.dataset.clips import Word
from engine.dataset.transcripts import Segment

SPANS = [Span(0.5, 20.0), Span(21.0, 40.0)]
CHUNKS = [Span(0.4, 20.2), Span(20.8, 40.2)]
HEARD = (Segment(0.5, 19.8, (Word(" Été", 0.5, 1.0, 0.75),), -0.2, 0.01, 1.25),)


def test_chunks_are_kept_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    made = transcripts.start(path, 41.5, SPANS, CHUNKS)
    made.add(1, HEARD)
    found = transcripts.load(path)
    assert found is not None
    assert found.missing == [0]
    found.add(0, ())
    whole = transcripts.load(path)
    assert whole is not None
    assert whole.missing == []
    assert whole.segments == list(HEARD)
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
