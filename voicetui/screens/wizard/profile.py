"""Step 4: how the base learns the voice, as one of the guide's profiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.widget import Widget

from engine import profile
from engine.profile import Profile
from engine.settings import SETTINGS
from engine.text import clean
from voicetui.screens.dialogs import Prompt
from voicetui.screens.wizard import plan
from voicetui.screens.wizard.step import Step
from voicetui.typed import short
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, fitted, wrapped

_ADVICE = (
    "An epoch is one pass over all clips. Few clips or an unusual voice want more epochs, many "
    "clips fewer; too many, and the voice copies its recordings and speaks other texts worse. Stop "
    "when the held-out loss no longer falls: the best checkpoint is kept, and a run can go on later."
)


class _Rows:
    def __init__(self, profiles: Sequence[Profile], chosen: str) -> None:
        self.profiles = profiles
        self._chosen = chosen

    def __len__(self) -> int:
        return len(self.profiles)

    def line(self, index: int, width: int) -> Line:
        found = self.profiles[index]
        sign = "●" if found.name == self._chosen else "○"
        return [
            (f" {sign} ", "accent"),
            (fitted(found.name, 15), "bold"),
            (" ", ""),
            (fitted(found.summary, max(0, width - 20)), ""),
        ]


class ProfileStep(Step):
    """The profiles; the cursor chooses, and the epochs can be changed."""

    actions = frozenset({"epochs", "usual", "left", "right"})

    def compose(self) -> Iterable[Widget]:
        yield RowList(id="profiles")
        yield Lines([[]], id="profile-details")

    def on_mount(self) -> None:
        profiles = list(profile.available().values())
        names = [found.name for found in profiles]
        cursor = names.index(self.draft.profile) if self.draft.profile in names else 0
        rows = self.query_one(RowList)
        rows.styles.height = len(profiles)
        rows.show(_Rows(profiles, self.draft.profile), cursor=cursor)
        self.draft_changed()

    def on_resize(self) -> None:
        self.draft_changed()

    def fields(self) -> list[Widget]:
        return [self.query_one(RowList)]

    def advice(self) -> str:
        return _ADVICE

    @property
    def _profile(self) -> Profile:
        rows = self.query_one(RowList)
        assert isinstance(rows.rows, _Rows)
        return rows.rows.profiles[rows.cursor]

    def draft_changed(self) -> None:
        rows = self.query_one(RowList)
        if isinstance(rows.rows, _Rows):
            rows.show(_Rows(rows.rows.profiles, self.draft.profile))
            self.query_one("#profile-details", Lines).show(self._details(self._profile))

    def _details(self, chosen: Profile) -> list[Line]:
        width = max(30, self.size.width - 3)
        lines: list[Line] = [[]]
        lines += [[(f" {line}", "")] for line in wrapped(clean(chosen.help), width)]
        sets = ", ".join(f"{key.partition('.')[2]} {value}" for key, value in chosen.values.items())
        lines.append([])
        lines += [
            [(f" {line}", "dim")] for line in wrapped(f"It sets: {sets or 'nothing'}.", width)
        ]
        if chosen.origin != "voicetui":
            lines.append([(f" From {clean(short(chosen.origin))}.", "dim")])
        epochs = self.wizard.settings.training.epochs
        usual = self.wizard.usual.training.epochs
        whose = "as the profile has it" if epochs == usual else f"yours; the profile has {usual}"
        lines += [[], [(" Epochs  ", "bold"), (f"{epochs}", "accent"), (f"  {whose}", "dim")]]
        return lines

    # --- keys -------------------------------------------------------------------------------------

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        name = self._profile.name
        if name != self.draft.profile:
            self.wizard.change(profile=name, values=plan.with_profile(self.draft, name))

    def epochs(self) -> None:
        """Ask for the number of epochs."""
        setting = SETTINGS[plan.EPOCHS]
        now = self.wizard.settings.training.epochs
        self.app.push_screen(
            Prompt(
                "Epochs",
                setting.help,
                value=str(now),
                check=lambda text: plan.value_problem(plan.EPOCHS, text),
            ),
            lambda text: self.wizard.set_value(plan.EPOCHS, text),
        )

    def usual(self) -> None:
        """Take the profile's epochs again."""
        self.wizard.set_value(plan.EPOCHS, "")
