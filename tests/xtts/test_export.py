"""The proof of an export: stock coqui loads it strictly and says what the training model says."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from helpers_project import finish, made_project
from helpers_xtts import made_dataset

from engine.errors import InputError, RefusedError
from engine.project import Project
from engine.xtts import batches, export, features, load, model, speak
from engine.xtts.batches import Tokens

COPIES = 14


@dataclass(frozen=True)
class Overfitted:
    project: Project
    folder: Path
    base: Path
    text: str
    codes: list[int]


@pytest.fixture(scope="module")
def overfitted(
    tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, shared_home: Path
) -> Overfitted:
    """A project trained on one clip until it is known by heart, and its export."""
    from engine.xtts import train

    folder = tmp_path_factory.mktemp("overfitted")
    (held_out,) = made_dataset(folder / "voice" / "dataset", train=0, held_out=1)
    one = replace(held_out, split="train")
    made = [held_out, *(replace(one, id=f"copy-{number}") for number in range(COPIES))]
    project = made_project(
        folder / "voice",
        tiny_base,
        made,
        batch_size=2,
        epochs=8,
        dropout=0.0,
        learning_rate=5e-3,
        restart_epochs=8.0,
    )
    trained = finish(train.session(project))
    assert trained.state == "finished", trained.error
    exported = finish(export.session(project, checkpoint="last"))
    assert exported.state == "finished", exported.error
    built = features.Features(next((project.cache_dir / "features").iterdir()))
    return Overfitted(
        project, project.export_dir / "Made-Voice", tiny_base, one.text, built.codes(0).tolist()
    )


def _stock(folder: Path) -> Any:
    """coqui's own Xtts, loaded as its users load it."""
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.models.xtts import Xtts

    config = XttsConfig()
    config.load_json(str(folder / "config.json"))
    network = Xtts(config)
    network.load_checkpoint(config, checkpoint_dir=folder, eval=True, strict=True)
    return network


def _greedy(gpt: Any, prompt: torch.Tensor, tokens: list[int]) -> list[int]:
    """The most likely codes by our own forward pass, one after the other."""
    ids = Tokens(
        gpt.start_text_token, gpt.stop_text_token, gpt.start_audio_token, gpt.stop_audio_token
    )
    codes: list[int] = []
    while len(codes) < 100:
        tables = batches.tables([np.asarray(tokens)], [np.asarray(codes, np.int64)], ids)
        batch = model.to_device(tables, prompt, torch.device("cpu"))
        with torch.no_grad():
            hidden = model.hidden_states(gpt, prompt, batch)
            place = batch.mel_positions[len(codes)]
            code = int(gpt.mel_head(hidden[place]).argmax())
        if code == gpt.stop_audio_token:
            break
        codes.append(code)
    return codes


def test_stock_coqui_says_the_codes_of_the_training_model(overfitted: Overfitted) -> None:
    stock = _stock(overfitted.folder)
    voice = stock.speaker_manager.speakers["Made Voice"]
    tokens = stock.tokenizer.encode(overfitted.text, lang="en")
    theirs = stock.gpt.generate(
        cond_latents=voice["gpt_cond_latent"],
        text_inputs=torch.IntTensor(tokens)[None],
        do_sample=False,
        num_beams=1,
        repetition_penalty=1.0,
    )[0].tolist()
    theirs = theirs[: theirs.index(stock.gpt.stop_audio_token)]

    _, saved = speak.chosen_checkpoint(overfitted.project, "last")
    weights = speak.weights_of(saved, lambda: None)
    gpt = load.gpt_from(overfitted.base, weights, saved.folder).eval()
    ours = _greedy(gpt, voice["gpt_cond_latent"], tokens)
    assert ours == overfitted.codes, "the clip was not learned by heart"
    assert theirs == ours


def test_stock_coqui_speaks_with_the_exported_voice(overfitted: Overfitted) -> None:
    stock = _stock(overfitted.folder)
    voice = stock.speaker_manager.speakers["Made Voice"]
    spoken = stock.inference("Hello.", "en", voice["gpt_cond_latent"], voice["speaker_embedding"])
    assert len(spoken["wav"]) > 1000
    assert np.isfinite(spoken["wav"]).all()


def test_the_folder_holds_what_alltalk_wants_and_no_more_weights(overfitted: Overfitted) -> None:
    names = {path.name for path in overfitted.folder.iterdir()}
    wanted = {
        "config.json", "model.pth", "vocab.json", "speakers_xtts.pth", "mel_stats.pth", "dvae.pth",
    }  # fmt: skip
    assert names == wanted | {"README.md", "voicetui.json", "wavs", "held_out"}
    exported = torch.load(overfitted.folder / "model.pth", weights_only=True)
    base = torch.load(overfitted.base / "model.pth", weights_only=True)
    assert set(exported) == {"model"}
    assert set(exported["model"]) == set(base["model"])
    size = (overfitted.folder / "model.pth").stat().st_size
    assert size == pytest.approx((overfitted.base / "model.pth").stat().st_size, rel=0.01)


def test_references_are_whole_clips_of_six_to_thirty_seconds(overfitted: Overfitted) -> None:
    wavs = sorted((overfitted.folder / "wavs").iterdir())
    seconds = sum(soundfile.info(wav).duration for wav in wavs)
    assert 6.0 <= seconds <= 30.0


def test_the_card_tells_where_the_voice_comes_from(overfitted: Overfitted) -> None:
    card = json.loads((overfitted.folder / "voicetui.json").read_text())
    assert card["voice"] == "Made Voice"
    assert card["settings"]["learning_rate"] == 5e-3
    assert len(card["evaluations"]) == 8
    assert set(card["files"]) >= {"model.pth", "wavs/reference-01.wav"}
    text = (overfitted.folder / "README.md").read_text()
    assert "Held-out losses" in text
    assert card["files"]["model.pth"] in text


def test_an_export_is_a_base_with_a_lineage(overfitted: Overfitted, tmp_path: Path) -> None:
    from engine.xtts import train

    project = made_project(tmp_path / "second", overfitted.folder, epochs=1)
    assert finish(train.session(project)).state == "finished"
    assert finish(export.session(project)).state == "finished"
    card = json.loads((project.export_dir / "Made-Voice" / "voicetui.json").read_text())
    assert [training["voice"] for training in card["lineage"]] == ["Made Voice"]


def test_an_export_never_replaces_another_unasked(overfitted: Overfitted) -> None:
    with pytest.raises(RefusedError, match="--force"):
        export.session(overfitted.project)
    with pytest.raises(InputError, match="letters"):
        export.session(overfitted.project, name="../outside")


def test_a_voice_is_never_joined_to_another_base(overfitted: Overfitted, tmp_path: Path) -> None:
    from engine.xtts import random_base

    random_base.make(tmp_path / "other", seed=1)
    moved = replace(overfitted.project, base=str(tmp_path / "other"))
    outcome = finish(export.session(moved, name="mixed"))
    assert isinstance(outcome.error, RefusedError)
    assert "not the one" in str(outcome.error)
    with pytest.raises(RefusedError, match="not the one"):
        speak.say(moved, "hello", tmp_path / "out.wav")


def test_a_failed_replacement_keeps_the_old_export(
    overfitted: Overfitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_write_card", failing)
    outcome = finish(export.session(overfitted.project, force=True))
    assert outcome.state == "failed"
    assert "No space left" in str(outcome.error)
    assert (overfitted.folder / "model.pth").is_file()
    assert [p.name for p in overfitted.folder.parent.iterdir() if p.name.startswith(".t")] == []


def test_say_writes_audio(overfitted: Overfitted, tmp_path: Path) -> None:
    spoken = speak.say(overfitted.project, overfitted.text, tmp_path / "1.wav", seed=5)
    info = soundfile.info(spoken.path)
    assert (info.samplerate, info.channels) == (24_000, 1)
    assert info.duration == pytest.approx(spoken.seconds)
