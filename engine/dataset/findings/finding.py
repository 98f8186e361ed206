"""What there is to say about a dataset, and what to mend first.

What concerns comes before what is only worth a look, and each of them by weight: how much a voice
suffers where the fault is (`SEVERITY`), times the share of the speech that it is in. The limits of
minutes and of the very small sets are those of the XTTS fine-tuning guide and of its software;
where the guide only names a concern ("many", "uneven") the number is ours.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from engine.text import clean

Level = Literal["good", "watch", "concern"]

# How much a voice suffers from a second of such speech, 0 to 1. What makes it learn wrong things
# comes first, then what it copies into all that it speaks, then what it only lacks.
SEVERITY = {
    "minutes": 1.0,
    "voices": 1.0,
    "recordings": 0.9,
    "texts": 0.9,
    "language": 0.9,
    "given texts": 0.9,
    "music": 0.9,
    "noise": 0.8,
    "low snr": 0.8,
    "phone bandwidth": 0.8,
    "reverberation": 0.7,
    "clipping": 0.7,
    "clips": 0.7,
    "unknown characters": 0.7,
    "speaking rate": 0.6,
    "dropped": 0.6,
    "without clips": 0.6,
    "narrow bandwidth": 0.5,
    "split": 0.5,
    "hum": 0.5,
    "hiss": 0.5,
    "very quiet": 0.4,
    "very loud": 0.4,
    "held out": 0.4,
    "sounds": 0.4,
    "variety": 0.4,
    "short clips": 0.4,
    "average length": 0.4,
    "levels": 0.3,
    "cutting": 0.3,
    "sentences": 0.3,
    "letters": 0.3,
    "names and numbers": 0.2,
    "formats": 0.2,
    "silence": 0.1,
    "duplicates": 0.1,
}
_RANKS: dict[Level, int] = {"concern": 0, "watch": 1, "good": 2}
# Of a fault that is not in the list.
_USUAL_SEVERITY = 0.5
_NAMES_TOLD = 3


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was seen, how good that is, what it means and what to do about it.

    What is good has no `means` and no `advice`. `weight` is 0 to 1, see above; `recordings` are
    those that it is about, the worst first, none when it is about the dataset as a whole.
    """

    name: str
    level: Level
    seen: str
    advice: str = ""
    means: str = ""
    weight: float = 0.0
    recordings: tuple[str, ...] = ()


def found(
    name: str,
    level: Level,
    seen: str,
    *,
    means: str,
    advice: str,
    share: float = 1.0,
    recordings: Sequence[str] = (),
) -> Finding:
    """A finding; `share` (0 to 1) of the speech is affected. What is good needs no advice."""
    if level == "good":
        return Finding(name, level, seen)
    weight = SEVERITY.get(name, _USUAL_SEVERITY) * min(1.0, max(0.0, share))
    names = tuple(recordings)
    return Finding(name, level, f"{seen}{_listed(names)}", advice, means, round(weight, 3), names)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What to mend first comes first."""
    return tuple(sorted(findings, key=lambda each: (_RANKS[each.level], -each.weight, each.name)))


def worth_mending(findings: Iterable[Finding]) -> list[Finding]:
    """Those that are not good, in their order."""
    return [each for each in findings if each.level != "good"]


def as_values(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Those that are not good as plain JSON values, as `dataset/summary.json` holds them."""
    return [
        asdict(each) | {"recordings": list(each.recordings)} for each in worth_mending(findings)
    ]


def too_much(value: float, watch: float, concern: float) -> Level:
    """How bad a value is that should be low."""
    return "concern" if value > concern else "watch" if value > watch else "good"


def too_little(value: float, watch: float, concern: float) -> Level:
    """How bad a value is that should be high."""
    return "concern" if value < concern else "watch" if value < watch else "good"


def files(count: int) -> str:
    """A number of files, as people say it."""
    return "1 file" if count == 1 else f"{count:,} files"


def _listed(names: Sequence[str]) -> str:
    if not names:
        return ""
    shown = ", ".join(clean(os.path.basename(name)) for name in names[:_NAMES_TOLD])
    more = len(names) - _NAMES_TOLD
    return f": {shown}{f' and {more} more' if more > 0 else ''}"
