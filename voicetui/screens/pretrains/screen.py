"""The models to train from: what there is, what is here, and what can be done with it."""

from __future__ import annotations

from voicetui.screens.pretrains.details import page_of
from voicetui.screens.pretrains.placing import PlacingKeys
from voicetui.screens.pretrains.shelf import Item

_ALWAYS = frozenset({"search", "narrow", "rate", "clear", "add", "lists"})
_NEEDS_FILES = frozenset({"verify", "inspect", "install", "merge", "copy"})
_PAIR = 2


class PretrainsScreen(PlacingKeys):
    """`folder` is the project that a pretrain may be used for."""

    def is_possible(self, action: str) -> bool:
        return not self.why_not(action)

    def why_not(self, action: str) -> str:
        item = self.chosen
        if action in _ALWAYS:
            return ""
        if action == "stop":
            return "" if self.stoppable is not None else "Nothing is being done."
        if item is None:
            return "No pretrain is listed; Ctrl-G shows all again."
        if action == "bring":
            return self._why_not_bring(item)
        if action == "get":
            return self._why_not_get(item)
        if action in _NEEDS_FILES and item.stored is None:
            return f"{item.title} is not here yet; f fetches it."
        return self._why_not(action, item)

    def _why_not_get(self, item: Item) -> str:
        if why_not := self._why_not_bring(item):
            return why_not
        if item.entry.repository:
            return ""
        return "Nobody knows where it can be fetched from; F takes its files from this machine."

    def _why_not_bring(self, item: Item) -> str:
        task = self.task_of(item.slug)
        if task is not None and not task.is_over:
            return f"{task.name} is at work: {task.doing}. x stops it."
        if item.damage:
            return "It is damaged: D removes it, then f fetches it again."
        return "It is here already; v verifies it." if item.stored is not None else ""

    def _why_not(self, action: str, item: Item) -> str:
        is_base = item.entry.family == "xtts"
        if action == "install" and is_base:
            return "Applio and RVC cannot train from it; u uses it for a project here."
        if action == "merge":
            if is_base:
                return "XTTS bases cannot be merged, only RVC pretrains."
            return "" if len(self.mergeable) >= _PAIR else "A merge needs two that are here."
        if action == "uninstall":
            return "" if item.installed else "It is in no Applio or RVC that this console knows."
        if action == "use":
            if not is_base:
                return "For Applio and RVC: o installs it there. Training RVC here comes later."
            return "The project trains from it already." if item.is_base else ""
        if action == "remove":
            return "" if item.stored or item.damage or item.part else "Nothing of it is here."
        if action == "page":
            return "" if page_of(item.entry) else "It has no page."
        return ""
