from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from helpers_recordings import piece, word_errors, words

from engine.audio.level import frame_levels
from engine.audio.speech import Span
from engine.dataset.clips import Reason, Word
from engine.dataset.hearing import asr_models, transcripts
from engine.dataset.hearing.chunks import Chunk
from engine.dataset.hearing.takes import Chosen, Counts, choose_all
from engine.dataset.hearing.transcribe import Recogniser
from engine.dataset.hearing.transcripts import Heard, Segment, Transcript
from engine.dataset.segment import Piece, segment
from engine.settings import DatasetSettings

RATE = 16_000
SAID = (
    "Good morning, and welcome to the Saturday market in Milton Square.",
    "The gates open at seven, but the bakers arrive long before sunrise,",
    "and a baker sells brown bread, apple cake, and little rolls with cheese.",
)
SPANS = [Span(0.576, 4.064), Span(4.48, 8.576), Span(8.96, 12.864)]
LOOP = " and".join(["and"] * 12)


class Recording:
    """Three sentences of one of the demo's recordings, and what the first hearing made of them."""

    def __init__(self, folder: Path, first: Sequence[tuple[str, float]]) -> None:
        samples = piece("market", 13.2, RATE)
        self.audio = folder / "speech.f32"
        self.audio.write_bytes(samples.tobytes())
        self.levels = frame_levels(samples, RATE)
        chunk = Chunk((Span(0.4, 13.1),))
        self.record = folder / "t.jsonl"
        made = transcripts.start(self.record, 13.2, SPANS, [chunk])
        made.add(0, Heard(tuple(self._segments(first))))
        self.asked: list[Chunk] = []

    @staticmethod
    def _segments(first: Sequence[tuple[str, float]]) -> Iterable[Segment]:
        for (text, probability), span in zip(first, SPANS, strict=True):
            step = span.seconds / max(1, len(text.split()))
            timed = tuple(
                Word(f" {word}", span.start + i * step, span.start + (i + 1) * step, probability)
                for i, word in enumerate(text.split())
            )
            if timed:
                yield Segment(span.start, span.end, timed, -0.3, 0.01, 1.5)

    def choose(self, recogniser: Recogniser) -> Chosen:
        found = transcripts.load(self.record)
        assert found is not None

        def cut(segments: Sequence[Segment]) -> list[Piece]:
            heard = [word for part in segments for word in part.words]
            return segment(heard, SPANS, self.levels, 13.2, shortest=1.0, longest=6.0)

        return choose_all(found, cut, self._hear_again(found, recogniser))

    def _hear_again(
        self, transcript: Transcript, recogniser: Recogniser
    ) -> Callable[[Sequence[Chunk]], None]:
        def hear_again(chunks: Sequence[Chunk]) -> None:
            missing = [chunk for chunk in chunks if chunk not in transcript.again]
            self.asked += missing
            for i, heard in recogniser.transcribe(self.audio, missing, "en", careful=True):
                transcript.add_again(missing[i], heard.segments)

        return hear_again


@pytest.fixture(scope="module")
def recogniser() -> Iterable[Recogniser]:
    model = asr_models.resolve("tiny.en", "en", 0)
    settings = DatasetSettings(asr_device="cpu")
    made = Recogniser(model, settings, lambda event: None, lambda: None)
    yield made
    made.close()


def like(text: str, said: str) -> bool:
    return word_errors(words(said), words(text)) <= 2


def test_what_looks_wrong_is_heard_again_and_mended(tmp_path: Path, recogniser: Recogniser) -> None:
    recording = Recording(tmp_path, [(SAID[0], 0.9), (LOOP, 0.9), ("", 0.0)])
    chosen = recording.choose(recogniser)
    assert chosen.counts == Counts(suspects=2, changed=2)
    whole, mended, found = chosen.takes
    assert (whole.piece.text, whole.second, whole.agreement) == (SAID[0], None, None)
    assert like(mended.piece.text, SAID[1])
    assert (mended.second, mended.fault, mended.doubt) == (LOOP, None, None)
    assert mended.agreement is not None
    assert mended.agreement < 0.5
    assert like(found.piece.text, SAID[2]), "speech in which the first hearing found no words"
    for take in chosen.takes:
        assert take.piece.start <= take.piece.words[0].start
        assert take.piece.words[-1].end <= take.piece.end
    asked = recording.asked.copy()
    assert len(asked) == 2
    again = recording.choose(recogniser)
    assert again == chosen
    assert recording.asked == asked, "what was heard a second time is remembered"


def test_texts_that_differ_make_a_suspect(tmp_path: Path, recogniser: Recogniser) -> None:
    other = "The goats opened a heaven, but the acres arrive before some surprise,"
    recording = Recording(tmp_path, [(SAID[0], 0.6), (other, 0.6), (SAID[2], 0.9)])
    chosen = recording.choose(recogniser)
    assert chosen.counts == Counts(suspects=2, changed=1, disagree=1)
    same, differs, sure = chosen.takes
    assert (same.doubt, same.fault) == (None, None)
    assert same.agreement is not None
    assert same.agreement >= 0.9
    assert differs.doubt is Reason.DISAGREEMENT
    assert like(differs.piece.text, SAID[1]), "the surer one is taken"
    assert differs.second == other
    assert sure.second is None


def test_noise_stays_without_words(tmp_path: Path, recogniser: Recogniser) -> None:
    recording = Recording(tmp_path, [(SAID[0], 0.9), (SAID[1], 0.9), ("", 0.0)])
    samples = np.fromfile(recording.audio, np.float32)
    noise = np.random.default_rng(1).normal(0, 0.02, len(samples)).astype(np.float32)
    samples[round(8.7 * RATE) :] = noise[round(8.7 * RATE) :]
    samples.tofile(recording.audio)
    chosen = recording.choose(recogniser)
    assert chosen.counts.suspects == 1
    assert chosen.counts.changed == 0
    assert [take.piece.reason for take in chosen.takes] == [None, None, Reason.NO_WORDS]
