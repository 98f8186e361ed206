"""Every setting of a project, defined once: its type, range, default and one line of help.

The fields of the dataclasses below are the table that project.toml, `--set`, the profiles, the
command line and the console all read.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast, get_type_hints

from engine.errors import SettingError
from engine.text import clean, did_you_mean

Value = int | float | str | bool


@dataclass(frozen=True)
class Setting:
    """One row of the table. `minimum` and `maximum` are inclusive."""

    section: str
    name: str
    type: type
    default: Value
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def allowed(self) -> str:
        """What the setting may be, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.type is bool:
            return "true or false"
        if self.type is str:
            return "text"
        noun = "a whole number" if self.type is int else "a number"
        if self.minimum is not None and self.maximum is not None:
            return f"{noun} from {self.minimum:.10g} to {self.maximum:.10g}"
        return noun


def _setting(
    default: Value,
    text: str,
    *,
    limits: tuple[float, float] | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    minimum, maximum = limits or (None, None)
    return field(
        default=default,
        metadata={"help": text, "minimum": minimum, "maximum": maximum, "choices": choices},
    )


@dataclass(frozen=True)
class DatasetSettings:
    """How recordings become clips."""

    transcripts: str = _setting(
        "auto",
        "Given texts (.srt, .vtt, .txt, metadata.csv): auto uses them, ignore leaves them aside.",
        choices=("auto", "ignore"),
    )
    asr_model: str = _setting(
        "auto", "Speech recognition model: auto, a Whisper name (small, large-v3 …) or a folder."
    )
    asr_device: str = _setting(
        "auto", "Where speech recognition runs.", choices=("auto", "cpu", "cuda")
    )
    asr_compute: str = _setting(
        "auto",
        "Number format of speech recognition; auto takes float16 on a GPU and int8 on CPU.",
        choices=("auto", "int8", "int8_float16", "float16", "float32"),
    )
    asr_batch: int = _setting(
        0,
        "Chunks that are transcribed together; 0 takes 8 on a GPU and 4 on the CPU.",
        limits=(0, 64),
    )
    min_clip_seconds: float = _setting(
        1.0, "Shorter clips are merged, extended or dropped.", limits=(0.5, 5.0)
    )
    max_clip_seconds: float = _setting(
        11.0, "Longest clip that is cut; training takes none over 11.6 s.", limits=(2.0, 11.6)
    )
    max_text_tokens: int = _setting(
        200,
        "Clips whose text has more tokens are dropped; the model's limit is 400.",
        limits=(20, 400),
    )
    loudness: float = _setting(
        -23.0,
        "Loudness in LUFS that every clip is brought to; 0 leaves clips as loud as they are.",
        limits=(-40.0, 0.0),
    )
    min_minutes: float = _setting(
        2.0,
        "A dataset with less speech than this is refused; 0 takes any.",
        limits=(0.0, 60.0),
    )
    other_voices: str = _setting(
        "suspect",
        "Clips of another voice than most are suspect; ignore does not look for other voices.",
        choices=("suspect", "ignore"),
    )
    eval_share: float = _setting(
        0.15, "Share of the time that is held out to judge the training.", limits=(0.02, 0.5)
    )


@dataclass(frozen=True)
class TrainingSettings:
    """How the base learns the voice."""

    epochs: int = _setting(
        15, "Passes over the data: 10-15 for most voices, 15-20 for accents.", limits=(1, 10_000)
    )
    batch_size: int = _setting(
        4,
        "Clips computed together: 5-10 small, 10-20 medium; less needs less memory.",
        limits=(1, 512),
    )
    batch_tokens: int = _setting(
        0,
        "Places of text and audio computed together, padding included; 0 counts clips instead.",
        limits=(0, 1_000_000),
    )
    accumulation: int = _setting(
        1, "Batches added up to one step: 8 x 4 acts like a batch of 32.", limits=(1, 512)
    )
    learning_rate: float = _setting(
        5e-6,
        "1e-6 to 5e-6 stable and slow, 1e-5 balanced, from 1e-3 on unstable.",
        limits=(1e-9, 1.0),
    )
    scheduler: str = _setting(
        "cosine_restarts",
        "How the rate moves: plateau falls when the held-out loss stands still, others with time.",
        choices=(
            "cosine_restarts", "cosine", "step", "multi_step", "exponential", "plateau", "constant",
        ),
    )  # fmt: skip
    restart_epochs: float = _setting(
        0.0,
        "Epochs in the first cosine cycle; 0 takes a quarter of all epochs.",
        limits=(0.0, 10_000.0),
    )
    restart_growth: int = _setting(
        1, "Each cosine cycle is this many times as long as the one before.", limits=(1, 8)
    )
    decay_epochs: float = _setting(
        0.0,
        "Epochs of one decay; 0 takes all epochs with cosine, a quarter with step and exponential.",
        limits=(0.0, 10_000.0),
    )
    decay_factor: float = _setting(
        0.5,
        "One decay of step, multi_step, exponential or plateau multiplies the rate by this.",
        limits=(0.01, 0.99),
    )
    milestones: str = _setting("", "Epochs after which multi_step decays the rate, as in 5,10,12.")
    plateau_patience: int = _setting(
        2, "Evaluations without a better held-out loss that plateau bears.", limits=(0, 1000)
    )
    final_learning_rate: float = _setting(
        1e-6, "Lowest rate that a scheduler goes down to.", limits=(0.0, 1.0)
    )
    warmup_steps: int = _setting(
        0, "Steps over which the rate rises from zero at the start.", limits=(0, 100_000)
    )
    optimizer: str = _setting(
        "adamw",
        "What turns gradients into steps. adam knows no weight decay; sgd wants a far higher rate.",
        choices=("adamw", "adam", "sgd", "rmsprop"),
    )
    momentum: float = _setting(
        0.9, "Share of the last stride that sgd keeps in the next one.", limits=(0.0, 0.999)
    )
    weight_decay: float = _setting(
        0.01,
        "Pull of the weights towards zero (not of biases, norms and embeddings).",
        limits=(0.0, 1.0),
    )
    dropout: float = _setting(
        0.1,
        "Share of the network that is switched off at random while training.",
        limits=(0.0, 0.9),
    )
    text_loss_weight: float = _setting(0.01, "Weight of the text loss.", limits=(0.0, 10.0))
    mel_loss_weight: float = _setting(1.0, "Weight of the audio loss.", limits=(0.0, 10.0))
    label_smoothing: float = _setting(
        0.0,
        "Share of each target that is spread over all others in training; 0 is off.",
        limits=(0.0, 0.5),
    )
    target_masking: str = _setting(
        "none",
        "Audio of the voice sample that is not learned: per_clip leaves it out, coqui does as coqui.",
        choices=("none", "per_clip", "coqui"),
    )
    gradient_clip: float = _setting(
        1.0, "Longest gradient that a step may take; 0 switches clipping off.", limits=(0.0, 1000.0)
    )
    early_stop_epochs: int = _setting(
        0,
        "Stop after this many epochs without a better held-out loss; 0 never stops early.",
        limits=(0, 1000),
    )
    early_stop_change: float = _setting(
        0.0,
        "Early stopping counts a held-out loss as better when it is lower by more than this.",
        limits=(0.0, 1.0),
    )
    precision: str = _setting(
        "auto",
        "Number format of training: auto takes bf16 where the GPU has it; fp16 suits older cards.",
        choices=("auto", "fp32", "tf32", "bf16", "fp16"),
    )
    gradient_checkpointing: bool = _setting(
        False, "Keeps less in memory and computes it again: about a third slower."
    )
    device: str = _setting("auto", "Where training runs.", choices=("auto", "cpu", "cuda"))
    seed: int = _setting(1, "Start of all random choices.", limits=(0, 2**31 - 1))
    longest_clip_seconds: float = _setting(
        11.6, "Longer clips are left out of training and judging.", limits=(1.0, 11.6)
    )
    evaluate_every_steps: int = _setting(
        0, "Steps between evaluations; 0 evaluates after each epoch only.", limits=(0, 1_000_000)
    )
    save_every_steps: int = _setting(
        0, "Steps between checkpoints; 0 saves after each epoch only.", limits=(0, 1_000_000)
    )
    keep_checkpoints: int = _setting(
        2, "Newest checkpoints that are kept; the best one always is.", limits=(1, 1000)
    )


@dataclass(frozen=True)
class Settings:
    """All settings of a project."""

    dataset: DatasetSettings = field(default_factory=DatasetSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)


SECTIONS: dict[str, type] = {"dataset": DatasetSettings, "training": TrainingSettings}


def _rows() -> Iterator[Setting]:
    for section, cls in SECTIONS.items():
        types = get_type_hints(cls)
        for f in dataclasses.fields(cls):
            yield Setting(section, f.name, types[f.name], cast("Value", f.default), **f.metadata)


SETTINGS: dict[str, Setting] = {row.key: row for row in _rows()}


def find(key: str, where: str) -> Setting:
    """The setting of a key, with or without its section. Raises SettingError with the nearest key."""
    full = [name for name in SETTINGS if key in (name, name.partition(".")[2])]
    if len(full) == 1:
        return SETTINGS[full[0]]
    names = [name if "." in key else name.partition(".")[2] for name in SETTINGS]
    # Nothing is nearer than the same name in the other section.
    moved = [name for name in SETTINGS if name.partition(".")[2] == key.partition(".")[2]]
    hint = did_you_mean(key, moved or names)
    raise SettingError(f"{where}: there is no setting {clean(key)!r}.{hint}")


def check(setting: Setting, value: object, where: str) -> Value:
    """The value in the setting's type. Raises SettingError when it is not allowed."""
    wrong = SettingError(
        f"{where}: {setting.key} is {clean(repr(value))}, but must be {setting.allowed}."
    )
    if setting.type is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            value = float(value)
        except OverflowError:
            raise wrong from None
    if type(value) is not setting.type:
        raise wrong
    assert isinstance(value, int | float | str)
    if setting.choices and value not in setting.choices:
        raise wrong
    if isinstance(value, int | float) and not isinstance(value, bool):
        too_low = setting.minimum is not None and value < setting.minimum
        too_high = setting.maximum is not None and value > setting.maximum
        if not math.isfinite(value) or too_low or too_high:
            raise wrong
    return value


def parse(setting: Setting, text: str, where: str) -> Value:
    """The value that a person typed. Raises SettingError when it is not allowed."""
    value: object = text
    try:
        if setting.type is bool:
            value = {"true": True, "false": False}.get(text.lower(), text)
        elif setting.type is int:
            value = int(text)
        elif setting.type is float:
            value = float(text)
    except ValueError:
        value = text
    return check(setting, value, where)


def parse_assignments(pairs: list[str], where: str = "--set") -> dict[str, Value]:
    """`["epochs=5"]` as `{"training.epochs": 5}`. Raises SettingError."""
    values: dict[str, Value] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise SettingError(f"{where}: {clean(pair)!r} should look like key=value.")
        setting = find(key.strip(), where)
        values[setting.key] = parse(setting, text.strip(), where)
    return values


def read_tables(document: Mapping[str, Any], where: str) -> dict[str, Value]:
    """The `[dataset]` and `[training]` tables of a TOML document, checked. Raises SettingError."""
    values: dict[str, Value] = {}
    for section in SECTIONS:
        table = document.get(section, {})
        if not isinstance(table, Mapping):
            raise SettingError(f"{where}: [{section}] must be a table of settings.")
        for name, value in table.items():
            setting = find(f"{section}.{name}", where)
            values[setting.key] = check(setting, value, where)
    return values


def resolve(*layers: Mapping[str, Value]) -> Settings:
    """The settings from the defaults and the given layers, later ones first."""
    merged: dict[str, Value] = {}
    for layer in layers:
        merged.update(layer)
    sections: dict[str, Any] = {}
    for section, cls in SECTIONS.items():
        own = {
            key.partition(".")[2]: v for key, v in merged.items() if key.startswith(f"{section}.")
        }
        sections[section] = cls(**own)
    return Settings(**sections)


def as_tables(values: Mapping[str, Value]) -> dict[str, dict[str, Value]]:
    """Flat keys as the tables that TOML holds."""
    tables: dict[str, dict[str, Value]] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        tables.setdefault(section, {})[name] = value
    return tables
