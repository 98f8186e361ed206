"""Which clips are computed together, and the index tables of one batch.

All randomness is derived from (seed, epoch, clip id) alone, so it never depends on timing or on
where a run was interrupted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PROMPT_LENGTH = 32
# coqui's GPTTrainer: reference crops of 3 to 6 s at 22,050 Hz, padded to the longest.
MIN_CONDITIONING = 66_150
MAX_CONDITIONING = 132_300
# coqui's GPT.forward gives each clip three stop codes as input and four as target.
_STOP_INPUTS = 3
_JITTER = 0.1
# Places of a clip's sequence besides its tokens and codes: prompt, two STARTs and the STOPs.
_MARKS = PROMPT_LENGTH + 2 + _STOP_INPUTS
# One code stands for so many samples; coqui divides by the other number (its issue 3631).
_CODE_SAMPLES = 1024
_COQUI_CODE_SAMPLES = 256

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tables:
    """Index tables of a batch of B clips.

    `text` (B, Lt) and `codes` (B, Lc) are padded inputs. Row b of `order` (B, L) says which of the
    32 + Lt + Lc embeddings of clip b stands at each place of its compact sequence. `*_places` are
    flat places (b * L + l) that predict, `*_targets` what they should.
    """

    text: Ints
    codes: Ints
    order: Ints
    text_positions: Ints
    text_targets: Ints
    mel_positions: Ints
    mel_targets: Ints


@dataclass(frozen=True)
class Tokens:
    """The special ids of a base."""

    text_start: int
    text_stop: int
    code_start: int
    code_stop: int


def targets_of(tokens: int, codes: int) -> tuple[int, int]:
    """How many text and code targets a clip has."""
    return tokens + 1, codes + _STOP_INPUTS + 1


def generator(seed: int, epoch: int, name: str) -> np.random.Generator:
    """A random generator that belongs to one purpose of one epoch."""
    digest = hashlib.blake2b(f"{seed}/{epoch}/{name}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(digest, np.uint64)))


def epoch_order(
    lengths: Sequence[int], batch_size: int, seed: int, epoch: int, *, budget: int = 0
) -> list[list[int]]:
    """Every clip once, in batches of clips of similar length, in random order.

    `lengths` count tokens and codes. They are jittered by up to 10 %, so that the same clips do not
    always meet. With a `budget` of padded places batches hold as many clips as fit, instead of
    `batch_size`.
    """
    random = generator(seed, epoch, "order")
    jittered = np.asarray(lengths) * random.uniform(1 - _JITTER, 1 + _JITTER, len(lengths))
    batches = _cut(np.argsort(jittered, kind="stable"), lengths, batch_size, budget)
    return [batches[index] for index in random.permutation(len(batches))]


def held_out_order(lengths: Sequence[int], batch_size: int, *, budget: int = 0) -> list[list[int]]:
    """Every clip once, in batches of similar length, always the same."""
    return _cut(np.argsort(np.asarray(lengths), kind="stable"), lengths, batch_size, budget)


def _cut(ordered: Ints, lengths: Sequence[int], size: int, budget: int) -> list[list[int]]:
    """Clips in their order, in batches of `size` or of up to `budget` padded places."""
    batches: list[list[int]] = []
    longest = 0
    for clip in ordered.tolist():
        longest = max(longest, lengths[clip] + _MARKS)
        full = batches and (
            longest * (len(batches[-1]) + 1) > budget if budget else len(batches[-1]) >= size
        )
        if full or not batches:
            batches.append([])
            longest = lengths[clip] + _MARKS
        batches[-1].append(clip)
    return batches


def conditioning_span(samples: int, random: np.random.Generator | None) -> tuple[int, int]:
    """Where the voice sample of a clip begins and ends.

    Without a generator (evaluation) it is 4.5 s from the beginning. A clip shorter than what was
    drawn gives half of itself, as coqui does.
    """
    if random is None:
        length = (MIN_CONDITIONING + MAX_CONDITIONING) // 2
    else:
        length = int(random.integers(MIN_CONDITIONING, MAX_CONDITIONING + 1))
    if length > samples:
        length = samples // 2
    start = 0 if random is None else int(random.integers(0, samples - length + 1))
    return start, start + length


def masked_targets(masking: str, crop: tuple[int, int], codes: int, *, last: bool) -> range:
    """The code targets of a clip that are not learned, since the voice sample `crop` holds them.

    `none`: all are learned, and coqui judges so. `per_clip`: those inside the crop are left out, as
    coqui's authors meant it. `coqui`: what coqui-tts 0.28 does, for comparisons: only in the
    `last` clip of a batch, and with an index that is four times too large.
    """
    if masking == "none" or (masking == "coqui" and not last):
        return range(0)
    samples, most = _CODE_SAMPLES, codes
    if masking == "coqui":
        samples, most = _COQUI_CODE_SAMPLES, codes + _STOP_INPUTS + 1
    return range(min(crop[0] // samples, most), min(crop[1] // samples, most))


def tables(
    texts: Sequence[Ints], codes: Sequence[Ints], ids: Tokens, masked: Sequence[range] = ()
) -> Tables:
    """Lay the clips of a batch out as [prompt | START text | START codes STOP STOP STOP | padding].

    `masked` gives the code targets of each clip that are left out, see `masked_targets`.
    """
    batch = len(texts)
    text_inputs = [np.concatenate([[ids.text_start], text]) for text in texts]
    stops = np.full(_STOP_INPUTS, ids.code_stop)
    code_inputs = [np.concatenate([[ids.code_start], code, stops]) for code in codes]
    text_width = max(map(len, text_inputs))
    code_width = max(map(len, code_inputs))
    pairs = list(zip(text_inputs, code_inputs, strict=True))
    length = PROMPT_LENGTH + max(len(text) + len(code) for text, code in pairs)

    text_grid = np.full((batch, text_width), ids.text_stop, np.int64)
    code_grid = np.full((batch, code_width), ids.code_stop, np.int64)
    order = np.zeros((batch, length), np.int64)
    text_positions, text_targets, mel_positions, mel_targets = [], [], [], []
    for row, (text, code) in enumerate(pairs):
        text_grid[row, : len(text)] = text
        code_grid[row, : len(code)] = code
        text_end = PROMPT_LENGTH + len(text)
        order[row, :text_end] = np.arange(text_end)
        order[row, text_end : text_end + len(code)] = (
            PROMPT_LENGTH + text_width + np.arange(len(code))
        )
        first = row * length
        text_positions.append(first + PROMPT_LENGTH + np.arange(len(text)))
        text_targets.append(np.append(text[1:], ids.text_stop))
        learned = np.ones(len(code), bool)
        if masked:
            learned[masked[row].start : masked[row].stop] = False
        mel_positions.append(first + text_end + np.flatnonzero(learned))
        mel_targets.append(np.append(code[1:], ids.code_stop)[learned])
    return Tables(
        text_grid,
        code_grid,
        order,
        np.concatenate(text_positions),
        np.concatenate(text_targets).astype(np.int64),
        np.concatenate(mel_positions),
        np.concatenate(mel_targets).astype(np.int64),
    )
