"""Every key of the console, in one table.

Dispatch, footer, help, command palette, the README's section and a person's own keymap all come
from it. A screen has a scope; its keys call its methods `action_<name>`. The scope "everywhere" is
the app's, "list" that of every list.

Keys that tmux (ctrl+b), screen (ctrl+a), flow control (ctrl+s, ctrl+q) or docker (ctrl+p) take are
not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.errors import SettingError

if TYPE_CHECKING:
    from textual.binding import BindingType

FORBIDDEN = frozenset({"ctrl+a", "ctrl+b", "ctrl+p", "ctrl+q", "ctrl+s", "ctrl+z"})
EVERYWHERE = "everywhere"
LIST = "list"


@dataclass(frozen=True)
class Key:
    """One row of the table.

    `keys` are Textual's names, separated by commas. `label` stands in the footer when `rank` is
    not 0; the lowest ranks are shown where room is short. `help` is a sentence.
    """

    scope: str
    action: str
    keys: str
    label: str
    help: str
    rank: int = 0

    @property
    def id(self) -> str:
        return f"{self.scope}.{self.action}"


TABLE: tuple[Key, ...] = (
    Key(EVERYWHERE, "help", "question_mark,f1", "help", "Keys and advice for this screen.", 1),
    Key(EVERYWHERE, "palette", "colon,f2", "commands", "Find any command by its name.", 9),
    Key(EVERYWHERE, "leave", "q", "back", "Back to the screen before; on the first one, quit.", 8),
    Key(EVERYWHERE, "interrupt", "ctrl+c", "", "Stop what runs safely; again: end at once."),
    Key(EVERYWHERE, "theme", "f8", "", "The next theme: dark, light, high contrast."),
    Key(EVERYWHERE, "home", "f3", "", "The list of projects."),
    Key(EVERYWHERE, "doctor", "f4", "", "Check this machine: GPU, packages, disk, terminal."),
    Key(EVERYWHERE, "pretrains", "f6", "", "The models to train from: find, fetch, install."),
    Key(EVERYWHERE, "redraw", "f5,ctrl+l", "", "Draw the screen again."),
    Key(LIST, "up", "up,k", "", "One row up."),
    Key(LIST, "down", "down,j", "", "One row down."),
    Key(LIST, "page_up", "pageup,ctrl+u", "", "One page up."),
    Key(LIST, "page_down", "pagedown,ctrl+d", "", "One page down."),
    Key(LIST, "first", "home,g", "", "The first row."),
    Key(LIST, "last", "end,G", "", "The last row."),
    Key(LIST, "choose", "enter", "", "Open or choose the row."),
    Key("demo", "open", "o", "open", "Open the step that works now.", 2),
    Key("help", "topic", "1,2,3,4,5,6,7,8,9", "topics", "Open a topic by its number.", 1),
    Key("help", "next_topic", "tab,right,l", "next topic", "Open the next topic.", 4),
    Key("help", "previous_topic", "shift+tab,left,h", "", "Open the topic before."),
    Key("help", "find", "slash", "find", "Find a word in all topics.", 2),
    Key("help", "next_match", "n", "next", "The next place where the word stands.", 3),
    Key("help", "previous_match", "N", "", "The place before where the word stands."),
    Key("doctor", "next_problem", "n", "next", "The next line that is not ok.", 2),
    Key("doctor", "again", "r", "again", "Check everything again.", 3),
    Key("doctor", "copy", "y", "copy", "Copy the report as text.", 4),
    Key(
        "dashboard", "go_on", "c", "continue", "Start training, or go on with a run that ended.", 1
    ),
    Key("dashboard", "stop", "x", "stop", "Stop the run safely after this step.", 2),
    Key("dashboard", "pause", "p", "pause", "Pause after this step, or go on.", 2),
    Key("dashboard", "speak", "t", "speak", "Speak a test sentence with the weights of now.", 3),
    Key("dashboard", "save", "s", "save", "Save now; kept until newer saves take its place.", 4),
    Key("dashboard", "metric", "m", "metric", "Show the next number in the chart.", 4),
    Key("dashboard", "metric_back", "M", "", "Show the number before in the chart."),
    Key("dashboard", "export", "o", "export", "Export the voice for coqui and AllTalk.", 5),
    Key("dashboard", "checkpoints", "K", "saved", "The checkpoints and exports.", 9),
    Key("dashboard", "dataset", "d", "dataset", "The clips of this voice.", 10),
    Key("dashboard", "next_pane", "tab", "", "Show the next pane."),
    Key("dashboard", "previous_pane", "shift+tab", "", "Show the pane before."),
    Key("dashboard", "evaluations", "1", "", "Show the evaluations."),
    Key("dashboard", "machine", "2", "", "Show GPU, CPU, memory and disk."),
    Key("dashboard", "warnings", "3", "", "Show all warnings with what to do."),
    Key("dashboard", "events", "4", "", "Show the events, and move in them."),
    Key("dashboard", "filter", "slash", "", "Filter the events by a word."),
    Key("dashboard", "groups", "e", "", "Show another group of events."),
    Key("dashboard", "log_scale", "l", "", "Logarithmic scale, on and off."),
    Key("dashboard", "zoom_in", "plus,equals_sign", "", "Zoom in on the newest steps."),
    Key("dashboard", "zoom_out", "minus", "", "Zoom out."),
    Key("dashboard", "pan_left", "left", "", "Earlier steps, in a zoomed chart."),
    Key("dashboard", "pan_right", "right", "", "Later steps, in a zoomed chart."),
    Key("dashboard", "cursor_left", "comma", "", "Move the chart's cursor back, to read numbers."),
    Key("dashboard", "cursor_right", "full_stop", "", "Move the chart's cursor on."),
    Key("dashboard", "freeze", "z", "", "Let the chart stand still, or follow again."),
    Key("dashboard", "reset_view", "0", "", "Show the whole run again."),
    Key("dashboard", "overlay", "v", "", "Compare with earlier runs: none, the last, all."),
    Key("dashboard", "copy", "y", "", "Copy the path or the command that matters."),
    Key("checkpoints", "speak", "t", "speak", "Speak a test sentence with this one.", 2),
    Key("checkpoints", "compare", "b", "compare", "Mark two; both speak one sentence.", 3),
    Key("checkpoints", "export", "o", "export", "Export this one.", 4),
    Key("checkpoints", "verify", "v", "verify", "Read every byte and compare its hash.", 5),
    Key("checkpoints", "delete", "x", "delete", "Delete this one, after a question.", 6),
    Key("checkpoints", "copy", "y", "copy", "Copy the path of this one.", 7),
    Key("checkpoints", "reload", "r", "", "Read the list again."),
    Key("pretrains", "get", "f", "fetch", "Fetch its files, after its licence is accepted.", 1),
    Key("pretrains", "stop", "x", "stop", "Stop what is done with it; what came is kept.", 1),
    Key("pretrains", "bring", "F", "files", "Take its files from this machine, not the hub.", 4),
    Key("pretrains", "search", "slash", "search", "Show only rows that hold a text.", 2),
    Key(
        "pretrains",
        "narrow",
        "n",
        "narrow",
        "Only a rate, kind, author, language, what is here.",
        2,
    ),
    Key("pretrains", "rate", "r", "", "Only the next sample rate: 32k, 40k, 48k, all."),
    Key("pretrains", "inspect", "i", "inspect", "Read what its files hold, from tensors alone.", 4),
    Key("pretrains", "verify", "v", "verify", "Read every byte and compare its hash.", 6),
    Key("pretrains", "install", "o", "install", "Put it where Applio or RVC looks for it.", 3),
    Key("pretrains", "uninstall", "O", "", "Take it out of Applio or RVC again."),
    Key("pretrains", "merge", "m", "merge", "Make a new one of this and others, by weights.", 5),
    Key("pretrains", "add", "a", "add", "Add a pair of your own, from files of this machine.", 7),
    Key("pretrains", "lists", "l", "", "Add what a list names, such as the one of Applio."),
    Key("pretrains", "use", "u", "use", "Take it as the base of the project.", 3),
    Key("pretrains", "page", "w", "web page", "Show and copy the address of its page.", 7),
    Key("pretrains", "copy", "y", "", "Copy the path of its files."),
    Key("pretrains", "remove", "D", "", "Remove its files from this machine, after a question."),
    Key("pretrains", "clear", "ctrl+g", "", "Show all again."),
    Key("setup", "forward", "tab", "next", "The next field, then the next step.", 1),
    Key("setup", "backward", "shift+tab", "back", "The field before, then the step before.", 3),
    Key("setup", "mark", "space", "mark", "Take what is under the cursor, or leave it out.", 3),
    Key("setup", "left", "left,backspace", "", "One folder up; elsewhere the step before."),
    Key("setup", "right", "right", "", "Into the folder; elsewhere the next step."),
    Key("setup", "type_path", "t", "path", "Type the path of a recording or folder.", 5),
    Key("setup", "chosen", "c", "chosen", "List what is chosen; take something off it.", 6),
    Key("setup", "problems", "p", "problems", "Say which files cannot be used, and why.", 7),
    Key("setup", "home_folder", "h", "", "Go to your home folder."),
    Key("setup", "fetch", "f", "fetch", "Fetch the base, after its licence is accepted.", 4),
    Key("setup", "stop_fetch", "x", "stop", "Stop fetching; what came is kept.", 6),
    Key("setup", "browse", "o", "folder", "Take a folder of this machine as the base.", 5),
    Key("setup", "epochs", "e", "epochs", "Change the number of epochs.", 4),
    Key("setup", "use", "u", "use", "Take the suggested batch and accumulation.", 4),
    Key("setup", "measure", "m", "", "Measure which batch fits, once the clips are prepared."),
    Key("setup", "usual", "d", "default", "Take the profile's value again.", 5),
    Key("setup", "filter", "slash", "filter", "Show only rows that hold a text.", 6),
    Key("setup", "copy", "y", "copy", "Copy the command line.", 4),
    Key("setup", "next_step", "ctrl+n", "next step", "The next step, from any field.", 6),
    Key("setup", "previous_step", "ctrl+o", "", "The step before, from any field."),
    Key("setup", "abandon", "ctrl+g", "leave", "Leave; the answers are kept for next time.", 7),
    Key("home", "new", "n", "new", "Make a new voice, step by step.", 2),
    Key("home", "open", "o", "open", "Open the project in any folder.", 3),
    Key("home", "demo", "m", "demo", "Make a whole voice from speech that comes along.", 4),
    Key("home", "dataset", "d", "dataset", "Prepare and review the clips of the project.", 5),
    Key(
        "home", "runs", "r", "train", "Train: the dashboard of the newest run, or of the first.", 5
    ),
    Key("home", "edit", "e", "edit", "Change the answers and settings of the project.", 6),
    Key("home", "remove", "x", "", "Take the project off this list; its files stay."),
    Key("home", "pretrains", "p", "pretrains", "The models that a training can start from.", 6),
    Key("home", "filter", "slash", "filter", "Show only projects whose line holds a text.", 7),
    Key("home", "copy", "y", "", "Copy the path of the project."),
    Key(
        "dataset",
        "accept",
        "a",
        "accept",
        "Accept the clip or the selected ones: they are trained on.",
        1,
    ),
    Key("dataset", "drop", "d", "drop", "Leave clips out, with a reason; d again is by hand.", 1),
    Key("dataset", "edit", "e", "edit", "Edit the text of the clip.", 2),
    Key("dataset", "listen", "l", "listen", "Hear the clip, or get the line that fetches it.", 3),
    Key("dataset", "undo", "u", "undo", "Take the last edit back, also one of an earlier day.", 3),
    Key("dataset", "redo", "U,ctrl+r", "", "Do again what was taken back."),
    Key("dataset", "restore", "r", "", "Bring a clip back that was dropped by hand."),
    Key("dataset", "filter", "f", "filter", "Show only kept, dropped, suspect, edited … clips.", 5),
    Key("dataset", "search", "slash", "search", "Search texts and names of recordings.", 10),
    Key("dataset", "worst", "w", "", "Worst clips first."),
    Key("dataset", "sort", "s", "sort", "Sort by any column.", 11),
    Key("dataset", "reverse", "S", "", "Turn the order around."),
    Key(
        "dataset",
        "select",
        "space",
        "select",
        "Select the clip; actions take all that are selected.",
        12,
    ),
    Key("dataset", "select_all", "asterisk", "", "Select all clips that are listed, or none."),
    Key("dataset", "extend", "v", "", "Select while moving; again: stop that."),
    Key(
        "dataset", "cut", "c", "cut", "Cut the clip in two at the mark; first it sets the mark.", 13
    ),
    Key("dataset", "cut_left", "left", "", "Move the mark to the word before."),
    Key("dataset", "cut_right", "right", "", "Move the mark to the next word."),
    Key("dataset", "cut_left_fine", "comma", "", "Move the mark 0.05 s to the left."),
    Key("dataset", "cut_right_fine", "full_stop", "", "Move the mark 0.05 s to the right."),
    Key("dataset", "zoom", "z", "", "Give the clip more room, or the list; so does Enter."),
    Key(
        "dataset", "merge", "m", "merge", "Make one clip of this and the next of its recording.", 14
    ),
    Key("dataset", "move", "t", "train/eval", "Move clips between train and eval.", 15),
    Key("dataset", "copy", "y", "", "Copy the path of the wav."),
    Key("dataset", "clear", "ctrl+g", "", "Forget mark, selection, search or filter."),
    Key(
        "dataset",
        "begin",
        "p",
        "prepare",
        "Prepare the recordings; what is done is not done again.",
        1,
    ),
    Key("dataset", "stop", "x", "stop", "Stop the preparation safely.", 1),
    Key("dataset", "train", "T", "train", "On to training: the dashboard of this voice.", 4),
    Key("dataset", "review", "1", "", "Go through the clips."),
    Key("dataset", "prepare", "2", "", "The preparation: how far it is, what it gave."),
    Key("dataset", "ledger", "3", "", "Why clips were dropped, and what can be done."),
    Key("dataset", "statistics", "4", "", "Figures of the dataset, and when to be concerned."),
    Key("dataset", "next_tab", "tab", "", "The next tab."),
)


def scopes() -> list[str]:
    """The scopes in the order of the table: those that work on every screen first."""
    return list(dict.fromkeys(key.scope for key in TABLE))


def title(scope: str) -> str:
    """What the keys of a scope are headed with."""
    named = {EVERYWHERE: "Everywhere", LIST: "In every list and text"}
    return named.get(scope, scope.replace("_", " ").capitalize())


def of(scope: str) -> list[Key]:
    """The keys of a scope in the order of the table."""
    return [key for key in TABLE if key.scope == scope]


def bindings(scope: str) -> list[BindingType]:
    """The keys of a scope as Textual binds them."""
    from textual.binding import Binding

    return [
        Binding(
            key.keys,
            key.action,
            key.label or key.help,
            show=key.rank > 0,
            # Ctrl-C must stop a run wherever the focus is, also in a line of text.
            priority=key.action == "interrupt",
            id=key.id,
        )
        for key in of(scope)
    ]


def names(keys: str) -> str:
    """The first of a row's keys as people write it: "?", "Enter", "Ctrl-C"; of digits "1-9"."""
    first, *more = keys.split(",")
    return f"{first}-{more[-1]}" if more and _are_digits(keys) else name(first)


def all_names(keys: str) -> str:
    """All of a row's keys as people write them: "? F1"."""
    return names(keys) if _are_digits(keys) else " ".join(map(name, keys.split(",")))


def _are_digits(keys: str) -> bool:
    return keys.replace(",", "").isdigit()


def untyped(rows: Iterable[Key]) -> list[Key]:
    """The rows while a line is typed in, where letters are text: with their other keys only."""
    left = [(row, [key for key in row.keys.split(",") if len(name(key)) > 1]) for row in rows]
    return [replace(row, keys=",".join(keys)) for row, keys in left if keys]


NAMES = {
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "full_stop": ".",
    "comma": ",",
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "shift+tab": "Shift-Tab",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "backspace": "Backspace",
    "delete": "Del",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "exclamation_mark": "!",
    "vertical_line": "|",
    "number_sign": "#",
    "asterisk": "*",
    "apostrophe": "'",
}


def name(key: str) -> str:
    """A key as people write it."""
    if key in NAMES:
        return NAMES[key]
    modifier, plus, rest = key.rpartition("+")
    if plus:
        return f"{modifier.capitalize()}-{NAMES.get(rest, rest.upper())}"
    return key.upper() if len(key) > 1 and key[0] == "f" and key[1:].isdigit() else key


def check(table: Iterable[Key]) -> None:
    """Raise SettingError when two rows of one scope share a key, or one takes a forbidden key.

    A list's own keys go first where it has the focus, so no screen may use them for something else.
    """
    rows = list(table)
    shared = [row for row in rows if row.scope in (EVERYWHERE, LIST)]
    for scope in {row.scope for row in rows}:
        owners: dict[str, str] = {}
        for row in [*(row for row in rows if row.scope == scope), *shared]:
            for key in row.keys.split(","):
                if key in FORBIDDEN:
                    raise SettingError(
                        f"{row.id}: {name(key)} never arrives inside tmux, screen or docker. "
                        "Take another key."
                    )
                if owners.setdefault(key, row.id) != row.id:
                    raise SettingError(
                        f"{name(key)} is both {owners[key]} and {row.id}. Give one another key."
                    )


def keys_of(identifier: str, keymap: Mapping[str, str]) -> list[str]:
    """The keys of one row, such as "everywhere.leave", in a person's own keys."""
    return next(row.keys for row in remapped(keymap) if row.id == identifier).split(",")


def remapped(keymap: Mapping[str, str]) -> list[Key]:
    """The table with a person's own keys."""
    return [replace(key, keys=keymap.get(key.id, key.keys)) for key in TABLE]
