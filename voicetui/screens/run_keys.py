"""The keys that ask a run for something, and what can be made of it."""

from __future__ import annotations

import shlex
from pathlib import Path

from engine.requests import Verb
from engine.runstate import RunState
from engine.text import clean
from voicetui import listening
from voicetui.asking import Asking, Pending
from voicetui.keys import Key
from voicetui.screens import flow
from voicetui.screens.chart_keys import ChartKeys
from voicetui.screens.dialogs import Choice, Choose
from voicetui.screens.errands import Errands
from voicetui.screens.going_on import go_on

_OF_LIVE_JOBS = frozenset({"stop"})
_OF_LIVE_RUNS = frozenset({"pause", "save"})
_OF_WEIGHTS = frozenset({"speak", "export"})
_OF_CHARTS = frozenset(
    {
        "metric",
        "metric_back",
        "log_scale",
        "zoom_in",
        "zoom_out",
        "pan_left",
        "pan_right",
        "cursor_left",
        "cursor_right",
        "freeze",
        "reset_view",
        "overlay",
        "evaluations",
    }
)


class RunKeys(ChartKeys):
    """A screen that shows one job and asks it for things."""

    asking: Asking | None = None
    errands: Errands
    has_checkpoints = False

    @property
    def state(self) -> RunState:
        return self.watched.state if self.watched is not None else RunState()

    @property
    def is_live(self) -> bool:
        return self.state.state in ("running", "paused")

    def attach(self, job: Path) -> None:
        """Show another job."""
        raise NotImplementedError

    def now(self) -> float:
        """Unix seconds."""
        raise NotImplementedError

    # --- what is possible -------------------------------------------------------------------------

    def is_possible(self, action: str) -> bool:
        return not self.why_not(action)

    def why_not(self, action: str) -> str:
        if action in _OF_LIVE_JOBS | _OF_LIVE_RUNS and not self.is_live:
            return "Nothing runs here now; c goes on with the run."
        if action in _OF_LIVE_RUNS and not self.is_run:
            return f"Only a training can {action}; x stops this job."
        if action == "save" and not self.state.step:
            return "There is nothing to save before the first step."
        if action == "go_on":
            return self._why_not_go_on()
        if action in _OF_WEIGHTS and not self.has_checkpoints:
            saves = action == "speak" and self.is_live and self.state.step > 0
            return "" if saves else "There is no checkpoint yet; one is saved after each epoch."
        if action in _OF_CHARTS and not self.is_run:
            return "There is no training in sight."
        return ""

    def _why_not_go_on(self) -> str:
        if self.watched is None:
            return ""
        if self.is_live:
            return "It runs already. p pauses it, x stops it."
        if not self.is_run:
            return "This is no training; d opens the dataset, where preparation goes on."
        if self.state.state == "new" and self.watched.is_ours:
            return "It is about to start."
        return ""

    @property
    def _holds(self) -> bool:
        """Whether the run is paused, or will be after this step."""
        asked = self.asking is not None and self.asking.doing == "pause"
        return asked or self.state.state == "paused"

    def label_of(self, key: Key) -> str:
        if key.action == "pause" and self._holds:
            return "go on"
        return "start" if key.action == "go_on" and self.watched is None else key.label

    # --- asking the run ---------------------------------------------------------------------------

    def _ask(self, verb: Verb) -> Pending | None:
        if self.asking is None:
            return None
        pending, told = self.asking.ask(verb, self.now())
        self.say(told)
        self.refresh_keys()
        return pending

    def action_stop(self) -> None:
        where = "this console" if self.watched and self.watched.is_ours else "another process"
        self.console.push_screen(
            Choose(
                "Stop?",
                f"It works in {where}. It ends after this step and saves first; nothing is lost, "
                "and c goes on from there.",
                [Choice("x", "stop it safely"), Choice("q", "let it go on")],
            ),
            self._stop_chosen,
        )

    def _stop_chosen(self, answer: str | None) -> None:
        if answer == "x" and self.is_live:
            self._ask("stop")

    def action_pause(self) -> None:
        self._ask("resume" if self._holds else "pause")

    def action_save(self) -> None:
        self._ask("save")

    # --- starting and going on --------------------------------------------------------------------

    def action_go_on(self) -> None:
        flow.begin(self.console, "starting the training", self._go_on())

    async def _go_on(self) -> None:
        project = await self.errands.load()
        if project is not None:
            await go_on(self.console, project, self.state, self._started)

    def _started(self, job: Path) -> None:
        if self.is_attached:
            self.attach(job)

    # --- what the weights are good for ------------------------------------------------------------

    def action_speak(self) -> None:
        flow.begin(self.console, "speaking", self._speak())

    async def _speak(self) -> None:
        project = await self.errands.load()
        if project is None:
            return
        said = await self.errands.ask_utterance(project)
        if said is None:
            return
        # A run that ended while the sentence was typed has saved by itself.
        live = self.is_live and self.is_run
        pending = self._ask("save") if live else None
        if pending is not None:
            self.say("Saving the weights of now, to speak with them…")
            answer = await pending.answer
            if answer is not None and not answer.ok:
                self.errands.report(f"Not spoken: {clean(answer.message)}", "warn")
                return
        await self.errands.speak(
            project, said, self._weights("last" if live else "best"), on_cpu=live
        )

    def _weights(self, which: str) -> str:
        """The name of a checkpoint of the run in sight, which need not be the newest run."""
        return f"{self.watched.folder.name}/{which}" if self.watched and self.is_run else which

    def action_export(self) -> None:
        flow.begin(self.console, "exporting", self._export())

    async def _export(self) -> None:
        project = await self.errands.load()
        if project is None:
            return
        best = self.state.best
        known = f": step {best.step:,}, held-out loss {best.loss:.3f}" if best else ""
        newest = self.state.saved_step
        last = f": step {newest:,}" if newest is not None else ""
        answer = await flow.ask(
            self.console,
            Choose(
                "Export which checkpoint?",
                "The best one is lowest on the held-out clips; K lists them all.",
                [Choice("b", f"the best{known}"), Choice("l", f"the newest{last}")],
            ),
        )
        which = {"b": "best", "l": "last"}.get(answer or "")
        if which:
            await self.errands.export(project, self._weights(which))

    # --- elsewhere --------------------------------------------------------------------------------

    def action_checkpoints(self) -> None:
        self.console.open_checkpoints(self.folder)

    def action_dataset(self) -> None:
        self.console.open_dataset(self.folder)

    def action_copy(self) -> None:
        text = self.errands.made or self._command()
        self.say_copied(listening.copy(self.console, text))

    def _command(self) -> str:
        """The shell command that matters for the job as it stands."""
        place = shlex.quote(str(self.folder))
        if self.is_live:
            return f"voicetui attach {place}"
        if self.state.state == "finished" and self.is_run:
            return f"voicetui export {place}"
        return f"voicetui train {place}" if self.is_run else f"voicetui {place}"
