"""Settings that cannot be meant together are told by name, before the first step."""

from __future__ import annotations

from typing import Any

import pytest
from helpers_project import finish, made_project

from engine import settings as tables
from engine.errors import SettingError
from engine.settings import SETTINGS, TrainingSettings
from engine.training import contradictions
from engine.training.schedule import settled


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"scheduler": "constant", "restart_epochs": 3.0}, ("restart_epochs", "scheduler")),
        ({"scheduler": "cosine", "restart_growth": 2}, ("restart_growth", "scheduler")),
        ({"decay_epochs": 3.0}, ("decay_epochs", "scheduler")),
        ({"scheduler": "cosine", "decay_factor": 0.3}, ("decay_factor", "scheduler")),
        ({"scheduler": "step", "milestones": "5"}, ("milestones", "scheduler")),
        ({"scheduler": "step", "plateau_patience": 5}, ("plateau_patience", "scheduler")),
        ({"scheduler": "constant", "final_learning_rate": 2e-6}, ("final_learning_rate",)),
        ({"momentum": 0.5}, ("momentum", "optimizer")),
        ({"optimizer": "adam", "weight_decay": 0.1}, ("weight_decay", "optimizer")),
        ({"scheduler": "multi_step"}, ("milestones", "scheduler")),
        ({"scheduler": "multi_step", "milestones": "5,3"}, ("milestones",)),
        ({"scheduler": "multi_step", "milestones": "15"}, ("milestones", "epochs")),
        ({"learning_rate": 5e-7}, ("final_learning_rate", "learning_rate")),
        ({"text_loss_weight": 0.0, "mel_loss_weight": 0.0}, ("text_loss_weight",)),
    ],
)
def test_a_contradiction_names_its_settings(changed: dict[str, Any], named: tuple[str]) -> None:
    with pytest.raises(SettingError) as caught:
        contradictions.check(TrainingSettings(**changed))
    for name in named:
        assert f"training.{name}" in str(caught.value)
    assert "Set " in str(caught.value) or "such as" in str(caught.value)


@pytest.mark.parametrize("scheduler", SETTINGS["training.scheduler"].choices)
@pytest.mark.parametrize("optimizer", SETTINGS["training.optimizer"].choices)
def test_the_defaults_go_with_every_choice(scheduler: str, optimizer: str) -> None:
    given = {"milestones": "5,10"} if scheduler == "multi_step" else {}
    chosen = TrainingSettings(scheduler=scheduler, optimizer=optimizer, **given)
    contradictions.check(settled(chosen))


def test_switching_off_what_is_not_used_is_no_contradiction() -> None:
    contradictions.check(TrainingSettings(optimizer="adam", weight_decay=0.0, momentum=0.0))


def test_a_remedy_is_a_setting_that_can_be_given() -> None:
    for changed in ({"learning_rate": 5e-7}, {"scheduler": "constant", "restart_growth": 3}):
        with pytest.raises(SettingError) as caught:
            contradictions.check(TrainingSettings(**changed))  # type: ignore[arg-type]
        remedy = str(caught.value).partition(" Set ")[2].partition(",")[0]
        assert tables.parse_assignments([remedy])


def test_a_warm_up_ends_before_the_run_does() -> None:
    settings = TrainingSettings(epochs=3, warmup_steps=12)
    contradictions.check_length(settings, 5)
    with pytest.raises(SettingError, match=r"warmup_steps is 12, but the run has 12 steps"):
        contradictions.check_length(settings, 4)


@pytest.mark.parametrize(("rate", "codes"), [(9.9e-4, []), (1e-3, ["high_rate"])])
def test_a_high_rate_is_allowed_with_a_warning(rate: float, codes: list[str]) -> None:
    found = contradictions.warnings(TrainingSettings(learning_rate=rate))
    assert [warning.code for warning in found] == codes


def test_training_refuses_before_it_loads_anything(tmp_path: Any, tiny_base: Any) -> None:
    from engine import eventlog
    from engine.jobs import LOG_NAME
    from engine.xtts import train

    project = made_project(tmp_path / "voice", tiny_base, momentum=0.5)
    outcome = finish(train.session(project))
    assert isinstance(outcome.error, SettingError)
    log = eventlog.read_all(project.runs_dir / "0001" / LOG_NAME)
    assert [record.kind for record in log] == ["started", "failed"]
