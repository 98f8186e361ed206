"""One clip in full: what was heard and how surely, how the transcripts differ, what its numbers mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from engine.dataset.clips import Reason, Word
from voicetui.screens.review.rows import STATES
from voicetui.widgets.styled import Line, Span, fitted, wrapped

if TYPE_CHECKING:
    from engine.audio.peaks import Waveform
    from engine.dataset.review.review import Detail
    from engine.dataset.review.texts import Difference

_LABEL = 9
_NUMBER = 24
_UNSURE, _LOW = 0.75, 0.5
# Before a word; it is no sign that a text has.
_MARK = "≈"
# What each number means to a person.
MEANINGS = {
    "score": "0: look at it first, 100: nothing stands out",
    "confidence": "how sure the recogniser was of its words; below 40 clips are dropped",
    "agreement": "how alike the two transcripts are; 100 is the same words",
    "logprob": "the recogniser's average log probability; below -1 it guessed",
    "no_speech": "the chance that nobody speaks here",
    "compression": "above 2.4 the recogniser repeated itself",
    "tokens": "the length of the text as the model counts it",
    "snr": "how far the voice is above the noise; 25 dB and more is clean",
    "level": "how loud the voice is; clips of one dataset should be alike",
    "bandwidth": "where the sound ends; a telephone ends under 4,000 Hz, a good one over 10,000",
    "clipping": "the share of samples cut off at full scale; they crackle",
    "speaker": "how far this voice is from the usual one; above 0.6 somebody else speaks",
    "rate": "twice or half the usual means words too many or missing",
}
_SHARES = ("confidence", "agreement", "no_speech", "clipping")
_UNITS = {"snr": " dB", "level": " LUFS", "clipping": " %", "no_speech": " %"}
_SHORT_NAMES = {"confidence": "sure", "agreement": "agree", "no_speech": "no speech"}


@dataclass(frozen=True)
class Shown:
    """A clip as the detail pane shows it; `problem` is why its audio cannot be drawn."""

    detail: Detail
    wave: Waveform | None
    problem: str = ""

    @property
    def id(self) -> str:
        return self.detail.row.id


def head_line(shown: Shown, width: int) -> Line:
    """State, set, length, place in the recording."""
    row = shown.detail.row
    sign, style = STATES.get(row.state, ("??", "warn"))
    facts = [row.split or "in no set", f"{row.seconds:.2f} s"]
    where = f"{row.start:.1f}-{row.end:.1f} s of {row.source.path}"
    if row.edited:
        facts.append(f"you set {', '.join(row.edited)}")
    head = f" {sign[0]} {row.state}"
    told = f" · {' · '.join(facts)} · {where}"
    return [(head, f"{style} bold"), (fitted(told, max(0, width - len(head))), "")]


def cut_borders(words: Sequence[Word]) -> list[float]:
    """Between which words a clip can be cut, in seconds of its recording."""
    return [(one.end + other.start) / 2 for one, other in pairwise(words)]


def cut_text(shown: Shown, at: float) -> str:
    """Where a cut would be: its time in the clip, and between which words."""
    row, words = shown.detail.row, shown.detail.words
    before = [word.text.strip() for word in words if (word.start + word.end) / 2 < at]
    after = [word.text.strip() for word in words if (word.start + word.end) / 2 >= at]
    place = f"{at - row.start:.2f} s"
    if before and after:
        return f"{place}, between “{before[-1]}” and “{after[0]}”"
    return place


def body_lines(
    shown: Shown, width: int, most_tokens: int, cut: float | None, *, long: bool
) -> list[Line]:
    """Everything below the waveform; `long` explains every number."""
    detail = shown.detail
    room = max(20, width - _LABEL - 1)
    lines: list[Line] = []
    if cut is not None:
        lines.append(
            [
                (_label("cut"), "accent"),
                (fitted(f"{cut_text(shown, cut)};  c cuts here", room), ""),
            ]
        )
    lines += _reason_lines(detail, room)
    lines += _text_lines(detail, room, cut)
    lines += _second_lines(detail, room, long=long)
    if long:
        lines += _score_table(shown, room, most_tokens)
        lines.append([(_label("id"), "dim"), (fitted(detail.row.id, room), "dim")])
    else:
        lines += _score_lines(shown, room, most_tokens)
    return lines


def _label(name: str) -> str:
    return f" {name:<{_LABEL - 1}}"


def _labelled(name: str, lines: Iterable[Line]) -> list[Line]:
    return [
        [(_label(name) if number == 0 else " " * _LABEL, "dim"), *line]
        for number, line in enumerate(lines)
    ]


def _reason_lines(detail: Detail, room: int) -> list[Line]:
    row = detail.row
    if not row.reason:
        return []
    try:
        reason = Reason(row.reason)
        words, remedy = reason.words, reason.remedy
    except ValueError:
        # A newer version's reason.
        words, remedy = row.reason.replace("_", " "), ""
    told = wrapped(f"{words[:1].upper()}{words[1:]}. {remedy}", room)
    return _labelled("reason", [[(line, "warn")] for line in told])


def _text_lines(detail: Detail, room: int, cut: float | None) -> list[Line]:
    row = detail.row
    if not detail.words:
        return _labelled("text", [[(line, "")] for line in wrapped(row.text or "(none)", room)])
    written = row.text.split()
    same = all(part.op == "equal" for part in detail.changes)
    if same and len(written) == len(detail.words):
        return _labelled("text", wrap_spans(_word_spans(detail.words, written, cut), room))
    heard = [word.text.strip() for word in detail.words]
    return [
        *_labelled("text", [[(line, "bold")] for line in wrapped(row.text, room)]),
        *_labelled("heard", wrap_spans(_word_spans(detail.words, heard, cut), room)),
    ]


def _word_spans(words: Sequence[Word], written: Sequence[str], cut: float | None) -> list[Span]:
    """The words; those that the recogniser was unsure of by colour, the worst with a sign too."""
    spans: list[Span] = []
    marked = cut is None
    for word, text in zip(words, written, strict=True):
        if not marked and cut is not None and (word.start + word.end) / 2 >= cut:
            spans.append(("┃", "accent"))
            marked = True
        if word.probability < _LOW:
            spans.append((f"{_MARK}{text}", "bad"))
        else:
            spans.append((text, "warn" if word.probability < _UNSURE else ""))
    return spans


def _has_marks(detail: Detail) -> bool:
    return any(word.probability < _LOW for word in detail.words)


def _second_lines(detail: Detail, room: int, *, long: bool) -> list[Line]:
    if detail.text_second is None:
        told = "there is no second transcript of this clip"
        return _labelled("second", [[(told, "dim")]]) if long else []
    if all(part.op == "equal" for part in detail.disagreements):
        return _labelled("second", [[("the same words", "good")]])
    return _labelled("second", wrap_spans(diff_spans(detail.disagreements), room))


def diff_spans(parts: Sequence[Difference]) -> list[Span]:
    """A word diff as wdiff writes it: [-only in the first-] and {+only in the second+}."""
    spans: list[Span] = []
    for part in parts:
        if part.op == "equal":
            spans += [(word, "dim") for word in part.left]
            continue
        if part.left:
            spans += _bracketed(part.left, "[-", "-]", "bad")
        if part.right:
            spans += _bracketed(part.right, "{+", "+}", "good")
    return spans


def _bracketed(words: Sequence[str], opening: str, closing: str, style: str) -> list[Span]:
    marked = [*words]
    marked[0] = opening + marked[0]
    marked[-1] += closing
    return [(word, style) for word in marked]


def wrap_spans(spans: Sequence[Span], room: int) -> list[Line]:
    """Words of different styles, with spaces between, broken into lines."""
    lines: list[Line] = [[]]
    used = 0
    for text, style in spans:
        length = cell_len(text)
        if used and used + 1 + length > room:
            lines.append([])
            used = 0
        while length > room:
            head = set_cell_size(text, room)
            lines[-1].append((head, style))
            lines.append([])
            text = text[len(head.rstrip()) :]
            length = cell_len(text)
        if used:
            lines[-1].append((" ", ""))
            used += 1
        lines[-1].append((text, style))
        used += length
    return lines


def _numbers(shown: Shown) -> dict[str, float]:
    row = shown.detail.row
    found = {"score": row.score}
    if row.agreement is not None:
        found["agreement"] = row.agreement
    if row.text:
        found["rate"] = row.rate
    return found | row.scores


def _value(name: str, value: float, most_tokens: int) -> str:
    if name == "score" or name in _SHARES:
        return f"{100 * value:.0f}{_UNITS.get(name, '')}"
    if name == "tokens":
        return f"{value:.0f} of {most_tokens}"
    if name == "bandwidth":
        return f"{value:,.0f} Hz"
    if name == "speaker":
        return f"{value:.2f}"
    if name == "rate":
        return f"{value:.1f} characters/s"
    return f"{value:.1f}{_UNITS.get(name, '')}"


def _is_doubtful(name: str, value: float, most_tokens: int) -> bool:
    """Whether a number is nearer to its bad end than to its good one."""
    from engine.dataset.review.scoring import RANGES

    if name == "tokens":
        return value > most_tokens
    bad, good = RANGES.get(name, (0.5, 1.0) if name == "agreement" else (0.0, 0.0))
    return abs(value - bad) < abs(value - good)


def _sound_text(shown: Shown, wave: Waveform) -> str:
    """What the wav itself tells; its level only where nobody has measured it better."""
    level = "" if "level" in shown.detail.row.scores else f", level {wave.rms_db:.0f} dB"
    return f"peak {wave.peak_db:.0f} dB{level}"


def _score_lines(shown: Shown, room: int, most_tokens: int) -> list[Line]:
    spans: list[Span] = []
    if _has_marks(shown.detail):
        spans.append((f"{_MARK}word: unsure ·", "bad"))
    for name, value in _numbers(shown).items():
        doubtful = _is_doubtful(name, value, most_tokens)
        text = f"{_SHORT_NAMES.get(name, name)} {_value(name, value, most_tokens)}"
        spans.append((f"{text}{'!' if doubtful else ''} ·", "warn" if doubtful else ""))
    if shown.wave is not None:
        spans.append((_sound_text(shown, shown.wave), ""))
    elif spans:
        text, style = spans[-1]
        spans[-1] = (text.removesuffix(" ·"), style)
    return _labelled("numbers", wrap_spans(spans, room))


def _score_table(shown: Shown, room: int, most_tokens: int) -> list[Line]:
    lines: list[Line] = []
    if _has_marks(shown.detail):
        meaning = f"less than {100 * _LOW:.0f} % sure of it: listen"
        lines += _explained(f"{_MARK}word: unsure", "bad", meaning, room)
    for name, value in _numbers(shown).items():
        doubtful = _is_doubtful(name, value, most_tokens)
        told = f"{name.replace('_', ' ')} {_value(name, value, most_tokens)}"
        meaning = MEANINGS.get(name, "")
        style = "warn" if doubtful else ""
        lines += _explained(f"{told}{'!' if doubtful else ''}", style, meaning, room)
    if shown.wave is not None:
        told = f"peak {shown.wave.peak_db:.0f} dB"
        meaning = "the loudest sample; 0 dB is full scale"
        if "level" not in shown.detail.row.scores:
            meaning = f"level {shown.wave.rms_db:.0f} dB, both below full scale"
        lines += _explained(told, "", meaning, room)
    return _labelled("numbers", lines)


def _explained(told: str, style: str, meaning: str, room: int) -> list[Line]:
    first, *more = wrapped(meaning, max(10, room - _NUMBER))
    return [
        [(told.ljust(_NUMBER), style), (first, "dim")],
        *([(" " * _NUMBER, ""), (line, "dim")] for line in more),
    ]
