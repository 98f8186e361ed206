"""What training reads of each clip, computed once: token ids, DVAE codes and audio, in flat files.

The cache folder is named by the content it was made from (clips, texts, tokenizer, DVAE), so a
change of any of them makes a new one, and codes of clips that did not change are taken over.

    audio.i16   22,050 Hz mono samples of all clips, one after the other
    codes.u16   DVAE codes, one for 1,024 samples
    tokens.i32  token ids of the texts, language tag first
    index.json  ids, splits, lengths
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from engine.audio import wav
from engine.errors import DatasetError
from engine.files import atomic_dir, remove_dir, sha256_file, sweep, write_json
from engine.text import clean
from engine.xtts import base as bases
from engine.xtts import load
from engine.xtts.mel import SAMPLE_RATE, codes_mel
from engine.xtts.vocab import Vocabulary

if TYPE_CHECKING:
    import torch

# coqui's demo and recipes train no clip over 255,995 samples (11.6 s).
MAX_SAMPLES = 255_995
CODE_SAMPLES = 1024
# Silence behind a clip, so that its codes do not depend on where the audio ends.
_ENCODER_MARGIN = 16_384
_INDEX = "index.json"


class SourceClip(Protocol):
    """What this room needs to know of a clip of the dataset."""

    @property
    def id(self) -> str: ...
    @property
    def wav(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def split(self) -> str: ...


@dataclass(frozen=True)
class Entry:
    """One clip of the cache; lengths in tokens, codes and samples."""

    id: str
    split: str
    wav_hash: str
    tokens: int
    codes: int
    samples: int


@dataclass(frozen=True)
class Rejected:
    """A clip that cannot be trained, and why."""

    id: str
    reason: str


class Features:
    """The feature cache of a dataset, its arrays mapped from disk."""

    def __init__(self, folder: Path) -> None:
        index = json.loads((folder / _INDEX).read_text("utf-8"))
        self.identity: str = index["identity"]
        self.encoder_hash: str = index["encoder"]
        self.entries = [Entry(**entry) for entry in index["entries"]]
        self.rejected = [Rejected(**entry) for entry in index["rejected"]]
        self._tokens = _Column(folder / "tokens.i32", np.int32, [e.tokens for e in self.entries])
        self._codes = _Column(folder / "codes.u16", np.uint16, [e.codes for e in self.entries])
        self._audio = _Column(folder / "audio.i16", np.int16, [e.samples for e in self.entries])

    def tokens(self, index: int) -> npt.NDArray[np.int64]:
        return self._tokens[index].astype(np.int64)

    def codes(self, index: int) -> npt.NDArray[np.int64]:
        return self._codes[index].astype(np.int64)

    def audio(self, index: int, start: int, end: int) -> npt.NDArray[np.float32]:
        """Samples `start` to `end` of a clip, from -1 to 1."""
        return self._audio[index][start:end].astype(np.float32) / np.float32(32768)

    def of_split(self, split: str) -> list[int]:
        return [index for index, entry in enumerate(self.entries) if entry.split == split]

    def codes_by_wav(self) -> dict[str, npt.NDArray[np.uint16]]:
        """The codes of each clip by the hash of its wav."""
        return {entry.wav_hash: self._codes[i] for i, entry in enumerate(self.entries)}


class _Column:
    """Arrays of different lengths, one after the other in a file."""

    def __init__(self, path: Path, dtype: Any, lengths: Sequence[int]) -> None:
        self._ends = np.cumsum([0, *lengths])
        # An empty file cannot be mapped.
        self._data = np.memmap(path, dtype, "r") if self._ends[-1] else np.zeros(0, dtype)

    def __getitem__(self, index: int) -> npt.NDArray[Any]:
        return np.asarray(self._data[self._ends[index] : self._ends[index + 1]])


class Encoder:
    """Turns a clip into token ids and codes with the tokenizer and DVAE of a base."""

    def __init__(
        self, folder: Path, device: torch.device, known: Mapping[str, npt.NDArray[np.uint16]]
    ) -> None:
        """`known` are codes that this encoder made before, by the hash of the wav."""
        self._folder = folder
        self._known = known
        self._vocabularies: dict[str, Vocabulary] = {}
        self._dvae = load.dvae_of(folder).to(device)
        self._mel = codes_mel(load.mel_stats_of(folder)).to(device)
        self._device = device

    def _vocabulary(self, language: str) -> Vocabulary:
        if language not in self._vocabularies:
            self._vocabularies[language] = Vocabulary(self._folder, language)
        return self._vocabularies[language]

    def tokens(self, text: str, language: str) -> npt.NDArray[np.int32]:
        return np.asarray(self._vocabulary(language).encode(text), np.int32)

    def problem(
        self,
        tokens: npt.NDArray[np.int32],
        language: str,
        samples: int,
        max_tokens: int,
        max_seconds: float,
    ) -> str | None:
        """Why a clip cannot be trained, in words, or None when it can."""
        vocabulary = self._vocabulary(language)
        # A clip that was cut at a limit may be some samples longer.
        if samples > min(MAX_SAMPLES, (max_seconds + 0.01) * SAMPLE_RATE):
            return f"longer than {max_seconds:.1f} s"
        if len(tokens) > max_tokens:
            return f"{len(tokens)} tokens, more than {max_tokens}"
        if len(tokens) < 2:
            return "no text"
        if vocabulary.unknown_id in tokens:
            return "characters that the vocabulary does not know"
        if vocabulary.stop_id in tokens:
            return "the text holds the stop token"
        return None

    def codes(self, audio: npt.NDArray[np.int16], wav_hash: str) -> npt.NDArray[np.uint16]:
        """The codes of a clip's audio, ceil(samples / 1024) of them."""
        known = self._known.get(wav_hash)
        return self.encode(audio) if known is None else known

    def encode(self, audio: npt.NDArray[np.int16]) -> npt.NDArray[np.uint16]:
        """The codes of audio that was not encoded before."""
        import torch

        padded = np.zeros(len(audio) + _ENCODER_MARGIN, np.float32)
        padded[: len(audio)] = audio / np.float32(32768)
        with torch.inference_mode():
            mel = self._mel(torch.from_numpy(padded)[None].to(self._device))
            codes = self._dvae.get_codebook_indices(mel)[0]
        count = -(-len(audio) // CODE_SAMPLES)
        return np.asarray(codes[:count].cpu().numpy(), np.uint16)


def _hash_wav(path: Path, check: Callable[[], None]) -> str:
    check()
    try:
        return sha256_file(path)
    except OSError as error:
        raise DatasetError(
            f"{clean(str(path))} cannot be read ({clean(str(error))}). "
            "Run 'voicetui prepare' again; it is made anew from the recording."
        ) from error


def _encoder_hash(base: Path) -> str:
    hashes = bases.file_hashes(base)
    names = ("vocab.json", "dvae.pth", "mel_stats.pth")
    return hashlib.sha256(" ".join(hashes[name] for name in names).encode()).hexdigest()


def _content_hash(rows: Iterable[tuple[SourceClip, str]]) -> str:
    lines = [
        json.dumps([clip.id, wav_hash, clip.text, clip.language, clip.split])
        for clip, wav_hash in rows
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def build(
    cache: Path,
    dataset: Path,
    clips: Sequence[SourceClip],
    base: Path,
    *,
    max_tokens: int,
    max_seconds: float = MAX_SAMPLES / SAMPLE_RATE,
    device: torch.device,
    progress: Callable[[int, int], None],
    check: Callable[[], None],
) -> Features:
    """The features of the clips in the order of their ids, from the cache where nothing changed.

    `dataset` is the folder that the clips' wav paths are relative to; clips of more than `max_tokens`
    or `max_seconds` are rejected. `check` is called before each
    piece of work and may raise to stop. Raises DatasetError and BaseModelError.
    """
    sweep(cache)
    ordered = sorted(clips, key=lambda clip: clip.id)
    hashed = [(clip, _hash_wav(dataset / clip.wav, check)) for clip in ordered]
    encoder_hash = _encoder_hash(base)
    content = f"{_content_hash(hashed)} {encoder_hash} {max_tokens} {max_seconds:.2f}"
    final = cache / hashlib.sha256(content.encode()).hexdigest()[:24]
    if (final / _INDEX).exists():
        return Features(final)

    earlier = [folder for folder in sorted(cache.glob("*")) if (folder / _INDEX).exists()]
    encoder = Encoder(base, device, _known_codes(earlier, encoder_hash))
    with atomic_dir(final) as draft:
        writer = _Writer(draft)
        with contextlib.closing(writer):
            for done, (clip, wav_hash) in enumerate(hashed):
                check()
                progress(done, len(hashed))
                audio = wav.read(dataset / clip.wav, SAMPLE_RATE)
                tokens = encoder.tokens(clip.text, clip.language)
                problem = encoder.problem(
                    tokens, clip.language, len(audio), max_tokens, max_seconds
                )
                if problem:
                    writer.reject(clip, problem)
                else:
                    writer.add(clip, wav_hash, tokens, encoder.codes(audio, wav_hash), audio)
        writer.finish(encoder_hash)
    progress(len(hashed), len(hashed))
    for folder in earlier:
        remove_dir(folder)
    return Features(final)


def _known_codes(folders: Sequence[Path], encoder_hash: str) -> dict[str, npt.NDArray[np.uint16]]:
    """The codes of earlier caches that the same encoder made, by the hash of the wav."""
    known: dict[str, npt.NDArray[np.uint16]] = {}
    for folder in folders:
        features = Features(folder)
        if features.encoder_hash == encoder_hash:
            known |= features.codes_by_wav()
    return known


class _Writer:
    """Writes the files of a cache; their identity is the hash of all that training reads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._columns = {
            name: (folder / name).open("wb") for name in ("tokens.i32", "codes.u16", "audio.i16")
        }
        self._digest = hashlib.sha256()
        self._entries: list[Entry] = []
        self._rejected: list[Rejected] = []

    def reject(self, clip: SourceClip, problem: str) -> None:
        self._rejected.append(Rejected(clip.id, problem))

    def add(
        self,
        clip: SourceClip,
        wav_hash: str,
        tokens: npt.NDArray[np.int32],
        codes: npt.NDArray[np.uint16],
        audio: npt.NDArray[np.int16],
    ) -> None:
        values: tuple[npt.NDArray[Any], ...] = (tokens, codes, audio)
        for column, array in zip(self._columns.values(), values, strict=True):
            column.write(array.tobytes())
        entry = Entry(clip.id, clip.split, wav_hash, len(tokens), len(codes), len(audio))
        self._entries.append(entry)
        for part in (json.dumps(asdict(entry)).encode(), tokens.tobytes(), codes.tobytes()):
            self._digest.update(part)

    def close(self) -> None:
        for column in self._columns.values():
            column.close()

    def finish(self, encoder_hash: str) -> None:
        """Write the index; without it the folder is no cache."""
        index = {
            "identity": self._digest.hexdigest(),
            "encoder": encoder_hash,
            "entries": [asdict(entry) for entry in self._entries],
            "rejected": [asdict(entry) for entry in self._rejected],
        }
        write_json(self._folder / _INDEX, index)
