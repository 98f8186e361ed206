"""XTTS v2 as the training loop sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from engine.settings import TrainingSettings
from engine.training.precision import Place
from engine.training.task import Micro
from engine.xtts import batches
from engine.xtts.batches import Tables, Tokens
from engine.xtts.features import Features
from engine.xtts.mel import SAMPLE_RATE, conditioning_mel
from engine.xtts.model import loss_sums, to_device


class XttsTask:
    """coqui's GPT and the features of a dataset. The GPT must be on the place's device."""

    def __init__(
        self,
        gpt: Any,
        features: Features,
        mel_stats: torch.Tensor,
        settings: TrainingSettings,
        place: Place,
    ) -> None:
        self.model: torch.nn.Module = gpt
        self.weights: Mapping[str, float] = {
            "text": settings.text_loss_weight,
            "mel": settings.mel_loss_weight,
        }
        self._gpt = gpt
        self._features = features
        self._mel = conditioning_mel(mel_stats).to(place.device)
        self._device = place.device
        self._seed = settings.seed
        self._batch_size = settings.batch_size
        self._budget = settings.batch_tokens
        self._masking = settings.target_masking
        self._smoothing = settings.label_smoothing
        self._ids = Tokens(
            gpt.start_text_token, gpt.stop_text_token, gpt.start_audio_token, gpt.stop_audio_token
        )
        self._splits = {split: features.of_split(split) for split in ("train", "eval")}

    def _lengths(self, split: str) -> list[int]:
        entries = self._features.entries
        return [entries[i].tokens + entries[i].codes for i in self._splits[split]]

    def _micros(self, split: str, order: Sequence[Sequence[int]], epoch: int | None) -> list[Micro]:
        clips = self._splits[split]
        return [self.micro([clips[place] for place in batch], epoch) for batch in order]

    def micro(self, clips: Sequence[int], epoch: int | None) -> Micro:
        entries = [self._features.entries[index] for index in clips]
        counts = [batches.targets_of(entry.tokens, entry.codes) for entry in entries]
        learned = sum(mel for _, mel in counts) - sum(map(len, self._masked(clips, epoch)))
        return Micro(
            tuple(clips),
            # coqui's masking may leave nothing to learn; its loss is no number then, ours is 0.
            {"text": sum(text for text, _ in counts), "mel": max(1, learned)},
            sum(entry.samples for entry in entries) / SAMPLE_RATE,
        )

    def _crop(self, index: int, epoch: int | None) -> tuple[int, int]:
        """Where the voice sample of a clip begins and ends; the same whenever it is asked for."""
        entry = self._features.entries[index]
        random = None if epoch is None else batches.generator(self._seed, epoch, entry.id)
        return batches.conditioning_span(entry.samples, random)

    def _masked(self, clips: Sequence[int], epoch: int | None) -> list[range]:
        """The code targets of each clip that are left out; held-out clips are judged whole."""
        if self._masking == "none" or epoch is None:
            return []
        codes = [self._features.entries[index].codes for index in clips]
        return [
            batches.masked_targets(
                self._masking, self._crop(index, epoch), count, last=index == clips[-1]
            )
            for index, count in zip(clips, codes, strict=True)
        ]

    def epoch(self, epoch: int) -> list[Micro]:
        order = batches.epoch_order(
            self._lengths("train"), self._batch_size, self._seed, epoch, budget=self._budget
        )
        return self._micros("train", order, epoch)

    def held_out(self) -> list[Micro]:
        order = batches.held_out_order(self._lengths("eval"), self._batch_size, budget=self._budget)
        return self._micros("eval", order, None)

    def clip_names(self, micro: Micro) -> list[str]:
        return [self._features.entries[index].id for index in micro.clips]

    def batch(self, micro: Micro, epoch: int | None) -> tuple[Tables, torch.Tensor]:
        """The index tables and the conditioning audio (B, 132,300) of a batch."""
        audio = np.zeros((len(micro.clips), batches.MAX_CONDITIONING), np.float32)
        for row, index in enumerate(micro.clips):
            start, end = self._crop(index, epoch)
            audio[row, : end - start] = self._features.audio(index, start, end)
        tables = batches.tables(
            [self._features.tokens(index) for index in micro.clips],
            [self._features.codes(index) for index in micro.clips],
            self._ids,
            self._masked(micro.clips, epoch),
        )
        return tables, torch.from_numpy(audio)

    def sums(self, batch: tuple[Tables, torch.Tensor]) -> dict[str, torch.Tensor]:
        tables, audio = batch
        with torch.no_grad(), torch.autocast(self._device.type, enabled=False):
            conditioning = self._mel(audio.to(self._device, non_blocking=True))
        # Held-out losses stay comparable, whatever a run trains with.
        smoothing = self._smoothing if self.model.training else 0.0
        moved = to_device(tables, conditioning, self._device)
        text, mel = loss_sums(self._gpt, moved, smoothing)
        return {"text": text, "mel": mel}
