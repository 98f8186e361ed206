"""Whether a batch fits into this machine, and which one would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.gpu_tiers import tier_of
from engine.training import memory
from engine.training.memory import XTTS, Kind, Network, Precision, Suggestion
from engine.xtts import base as bases
from engine.xtts.network import network_of
from voicetui.amounts import size
from voicetui.widgets.styled import Line

if TYPE_CHECKING:
    from engine.hardware import Gpu, Reading
    from engine.settings import Settings

# What takes as much memory: both halves, and fp32 with either kind of product.
_FORMATS: dict[str, Precision] = {"bf16": "bf16", "fp16": "bf16", "fp32": "fp32", "tf32": "fp32"}
_TIER_WORDS = {
    "S": "the fastest there is",
    "A": "very fast",
    "B": "fast",
    "C": "good",
    "D": "slower, and good enough",
}


@dataclass(frozen=True)
class Fit:
    """What a training with these settings takes, and what is free; bytes.

    `of_base` says that the estimate is for the chosen base, and not for XTTS as it is published.
    """

    kind: Kind
    free: int
    needed: int
    suggestion: Suggestion
    of_base: bool = False

    @property
    def fits(self) -> bool:
        """Whether it can be expected to run, with the reserve that is left free."""
        return self.needed + self._reserve <= self.free

    @property
    def _reserve(self) -> int:
        return memory.least_bytes(self.kind) - memory.training_bytes(1, self.kind)


def fit_of(
    settings: Settings, usual: Settings, reading: Reading, network: Network | None = None
) -> Fit | None:
    """How the settings fit; None where the card does not tell its memory.

    What is suggested keeps the effective batch of the `usual` settings, which are the profile's.
    `network` are the sizes of the base, None where they are not known.
    """
    training = settings.training
    gpu = _used(settings, reading)
    kind: Kind = "cpu" if gpu is None else "cuda"
    free = reading.ram.available if gpu is None else gpu.memory_free
    if free is None:
        return None
    auto: Precision = "bf16" if gpu is not None and gpu.has_bf16 else "fp32"
    precision = _FORMATS.get(training.precision, auto)
    longest = min(settings.dataset.max_clip_seconds, training.longest_clip_seconds)
    effective = usual.training.batch_size * usual.training.accumulation
    return Fit(
        kind,
        free,
        memory.training_bytes(training.batch_size, kind, precision, longest, network or XTTS),
        memory.suggest(
            free, kind, effective, longest, precision=precision, network=network or XTTS
        ),
        of_base=network is not None,
    )


class BaseSizes:
    """Remembers the sizes of the base that was asked for last."""

    def __init__(self) -> None:
        self._found: tuple[str, Network | None] = ("", None)

    def of(self, reference: str) -> Network | None:
        """The sizes of a base; None where it is not on this machine."""
        # One that is not here yet may be fetched meanwhile.
        if self._found[0] != reference or self._found[1] is None:
            vocabulary = bases.vocab_of(reference)
            found = None if vocabulary is None else network_of(vocabulary.parent)
            self._found = (reference, found)
        return self._found[1]


def _used(settings: Settings, reading: Reading) -> Gpu | None:
    """The card that training would take: the first, unless the settings say CPU."""
    cards = [gpu for gpu in reading.gpus if not gpu.lost]
    return cards[0] if cards and settings.training.device != "cpu" else None


def gpu_line(gpu: Gpu) -> Line:
    """A card: its name, tier and memory."""
    tier = tier_of(gpu.name)
    line: Line = [(" GPU   ", "bold"), (gpu.name, "")]
    if gpu.lost:
        return [*line, ("  does not answer any more; restart the machine", "bad")]
    if gpu.memory_free is not None and gpu.memory_total is not None:
        line.append((f"  {size(gpu.memory_free)} of {size(gpu.memory_total)} free", ""))
    if tier is not None:
        line.append((f"  {tier}: {_TIER_WORDS.get(tier.name, '')}", "dim"))
    return line


def machine_lines(reading: Reading) -> list[Line]:
    """The cards, RAM and disk of this machine."""
    lines = [gpu_line(gpu) for gpu in reading.gpus]
    if not lines:
        lines = [
            [(" GPU   ", "bold"), ("none found", "warn"), ("; F4 says what is missing", "dim")]
        ]
    ram = reading.ram
    limit = " (this container's limit)" if ram.is_limited else ""
    last: Line = [
        (" RAM   ", "bold"),
        (f"{size(ram.available)} of {size(ram.total)} free{limit}", ""),
    ]
    if reading.disk is not None:
        last += [("   Disk  ", "bold"), (f"{size(reading.disk.free)} free", "")]
    return [*lines, last]
