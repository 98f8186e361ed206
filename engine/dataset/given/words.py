"""The words of a recording from the transcript that was given for it, instead of a recogniser's."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.audio.decode import Samples
from engine.audio.speech import Span, quiet_level, without_silence
from engine.dataset.clips import Reason, Word
from engine.dataset.given import placing, subtitles
from engine.dataset.given import text as given_text
from engine.dataset.given.aligning import align
from engine.dataset.given.beside import Given
from engine.dataset.given.flaws import Flaw, Kind
from engine.dataset.given.subtitles import Cue
from engine.dataset.given.text import GivenWord
from engine.dataset.hearing.likeness import agreement
from engine.dataset.hearing.reading import Reading, readings
from engine.dataset.hearing.second import Take
from engine.dataset.segment import Piece
from engine.errors import TranscriptError
from engine.text import clean

# Less than this of a text in a recording, and it is another recording's.
_LEAST_SHARE = 0.3
# Over a longer cue an even pace goes too far astray; the recogniser tells the times then.
_LONGEST_CUE = 30.0
_LEAST_SPEECH = 0.05
_AGREE = 0.8
_LONGEST_WORD = 5.0
# Characters for a second of recording, and for any, that are worth a look at the words.
_MOST_CHARACTERS, _ANY_CHARACTERS = 80.0, 1000
_ELSEWHERE = "Check that it is the transcript of this recording, or set transcripts to ignore."

Hear = Callable[[], Sequence[Word]]


@dataclass(frozen=True)
class Placed:
    """The words of a recording in time order, where their text may be wrong, and what was found.

    `heard` are the recogniser's words where it was asked; `sounds` counts descriptions of sounds
    that were left out.
    """

    words: list[Word]
    doubts: list[Span]
    heard: Sequence[Word]
    flaws: list[Flaw]
    sounds: int


@dataclass(frozen=True)
class _Text:
    words: list[GivenWord]
    flaws: list[Flaw]
    sounds: int


@dataclass(frozen=True)
class _Room:
    """A cue's words, and the speech that they belong to."""

    cue: Cue
    words: list[GivenWord]
    spans: list[Span]


def place(
    given: Given,
    spans: Sequence[Span],
    levels: Samples,
    seconds: float,
    *,
    longest: float,
    hear: Hear,
) -> Placed:
    """Put a given transcript into the speech of a recording of `seconds`.

    `spans` is that speech and `levels` those of each 10 ms, as for `engine.dataset.segment`. The
    recogniser is asked (`hear`) only when a text without times lasts longer than a clip, `longest`
    seconds. Raises TranscriptError when the transcript cannot be used, and what `hear` raises.
    """
    speech = without_silence(spans, levels, quiet_level(levels, spans))
    if given.timed:
        content = given_text.decode(given.path, given_text.read(given.path))
        return _cued(given, subtitles.parse(given.path, content), speech, seconds, hear)
    text = _text(given, seconds)
    if placing.seconds(speech) > longest:
        return _aligned(given, text, speech, hear)
    if speech and not placing.fits(text.words, placing.seconds(speech)):
        raise TranscriptError(
            f"{_shown(given)} has {len(text.words)} words for {placing.seconds(speech):.1f} s of "
            "speech, which nobody says in that time.",
            _ELSEWHERE,
        )
    return Placed(placing.spread(text.words, speech), [], (), text.flaws, text.sounds)


def takes(placed: Placed, pieces: Sequence[Piece], spans: Sequence[Span]) -> list[Take]:
    """The pieces that were cut from placed words; those in doubt show what the recogniser heard.

    `spans` is the speech of the recording.
    """
    return [
        _take(placed, piece, reading)
        for piece, reading in zip(pieces, readings(pieces, (), spans), strict=True)
    ]


def _take(placed: Placed, piece: Piece, reading: Reading) -> Take:
    if not piece.words:
        return Take(piece, reading, fault=Reason.NO_WORDS)
    if not any(span.start < piece.end and piece.start < span.end for span in placed.doubts):
        return Take(piece, reading)
    if not placed.heard:
        return Take(piece, reading, doubt=Reason.GIVEN_TEXT)
    second = _between(placed.heard, piece.start, piece.end)
    alike = round(agreement(piece.text, second), 4)
    doubt = Reason.GIVEN_TEXT if alike < _AGREE else None
    return Take(piece, reading, second, alike, doubt)


def _between(heard: Sequence[Word], start: float, end: float) -> str:
    """What was heard between two times; a word belongs where its middle is."""
    first = bisect_left(heard, start - _LONGEST_WORD, key=lambda word: word.start)
    last = bisect_left(heard, end, key=lambda word: word.start)
    near = heard[first:last]
    text = "".join(word.text for word in near if start <= (word.start + word.end) / 2 < end)
    return " ".join(text.split())


def _shown(given: Given) -> str:
    line = f", line {given.row.line}," if given.row else ""
    return f"{clean(str(given.path))}{line}"


def _text(given: Given, seconds: float) -> _Text:
    """The text of a whole recording. Raises TranscriptError when it has no words, or far too many."""
    if given.row:
        row = given.row
        return _Text(list(given_text.words(row.text, row.line)), [], row.sounds)
    content = given_text.decode(given.path, given_text.read(given.path))
    if len(content) > _ANY_CHARACTERS + _MOST_CHARACTERS * seconds:
        raise TranscriptError(
            f"{_shown(given)} has {len(content)} characters, and the recording lasts {seconds:.0f} s.",
            _ELSEWHERE,
        )
    words: list[GivenWord] = []
    flaws: list[Flaw] = []
    sounds = 0
    for number, line in enumerate(given_text.lines(content), 1):
        spoken = given_text.of_running_text(line)
        words += given_text.words(spoken.text, number)
        sounds += spoken.sounds
        flaws += [Flaw(Kind.CONTROLS, number)] * bool(spoken.controls)
    if not words:
        raise TranscriptError(
            f"{_shown(given)} holds no words.", "Write down what is said, or remove the file."
        )
    return _Text(words, flaws, sounds)


def _aligned(given: Given, text: _Text, speech: Sequence[Span], hear: Hear) -> Placed:
    heard = hear()
    found = align(text.words, heard, speech)
    if found.share < _LEAST_SHARE:
        raise TranscriptError(
            f"{_shown(given)} is not what is said: {found.share:.0%} of the words agree with what "
            "the recogniser heard.",
            _ELSEWHERE,
        )
    flaws = [*text.flaws]
    flaws += [Flaw(Kind.UNSPOKEN, line) for line in found.unspoken]
    flaws += [Flaw(Kind.UNSURE, line) for line in found.unsure]
    return Placed(found.words, found.doubts, heard, flaws, text.sounds)


def _cued(
    given: Given,
    parsed: subtitles.Subtitles,
    speech: Sequence[Span],
    seconds: float,
    hear: Hear,
) -> Placed:
    flaws = [*parsed.flaws]
    rooms = list(_rooms(parsed.cues, speech, seconds, flaws))
    if any(placing.seconds(room.spans) > _LONGEST_CUE for room in rooms):
        words = [word for room in rooms for word in room.words]
        return _aligned(given, _Text(words, flaws, parsed.sounds), speech, hear)
    misfits = {
        room.cue.line for room in rooms if not placing.fits(room.words, placing.seconds(room.spans))
    }
    lost = len(parsed.cues) - len(rooms) + len(misfits)
    if speech and lost * 2 > len(parsed.cues):
        raise TranscriptError(
            f"{_shown(given)}: {lost} of its {len(parsed.cues)} cues lie where nobody speaks, or "
            "have far too many or too few words for their speech.",
            _ELSEWHERE,
        )
    flaws += [Flaw(Kind.MISFIT, line) for line in misfits]
    doubtful = [room for room in rooms if room.cue.doubtful or room.cue.line in misfits]
    doubts = [Span(room.spans[0].start, room.spans[-1].end) for room in doubtful]
    placed = [word for room in rooms for word in placing.spread(room.words, room.spans)]
    return Placed(placed, doubts, (), flaws, parsed.sounds)


def _rooms(
    cues: Sequence[Cue], speech: Sequence[Span], seconds: float, flaws: list[Flaw]
) -> Iterator[_Room]:
    """The speech of each cue that has some."""
    for cue in cues:
        start, end = placing.snapped(cue.start, speech), placing.snapped(cue.end, speech)
        spans = placing.within(speech, start, end)
        if cue.start >= seconds:
            flaws.append(Flaw(Kind.BEYOND, cue.line))
        elif placing.seconds(spans) < _LEAST_SPEECH:
            flaws.append(Flaw(Kind.SILENT, cue.line))
        else:
            yield _Room(cue, list(given_text.words(cue.text, cue.line)), spans)
