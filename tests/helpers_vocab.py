"""Texts in two languages that XTTS does not know, and projects in them, ready to be extended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from helpers_project import as_clip
from helpers_xtts import made_dataset

from engine import project as projects
from engine.dataset import clips
from engine.project import Project

SWEDISH = (
    "Båten går klockan sju, och vi måste fortfarande köpa biljetter.",
    "Kan du hjälpa mig att bära den här lådan över gården?",
    "Min farmor bodde i ett litet rött hus vid sjön.",
    "Det började snöa när vi kom fram till stugan.",
    "Jag vet inte var nyckeln ligger, men den måste finnas här.",
    "Vi brukar åka till sjön när det är varmt.",
    "Han läste brevet två gånger och lade det på bordet.",
    "Hunden sprang över ängen och ville inte komma tillbaka.",
    "På kvällen satt vi vid elden och sjöng gamla visor.",
    "I morgon ska vi måla huset, om det inte regnar.",
    "Var har du lagt den röda boken som låg på bordet?",
    "Det är inte långt kvar till den lilla hamnen.",
)
GREEK = (
    "Το καράβι φεύγει στις επτά το πρωί.",
    "Μπορείς να με βοηθήσεις με το κουτί;",
    "Η γιαγιά μου έμενε σε ένα μικρό σπίτι κοντά στη θάλασσα.",
    "Άρχισε να χιονίζει όταν φτάσαμε στο χωριό.",
    "Δεν ξέρω πού είναι το κλειδί, αλλά πρέπει να είναι εδώ.",
    "Το καλοκαίρι πηγαίνουμε συχνά στη θάλασσα.",
    "Διάβασε το γράμμα δύο φορές και το άφησε στο τραπέζι.",
    "Ο σκύλος έτρεξε στο λιβάδι και δεν ήθελε να γυρίσει.",
    "Το βράδυ καθίσαμε κοντά στη φωτιά και τραγουδήσαμε.",
    "Αύριο θα βάψουμε το σπίτι, αν δεν βρέξει.",
    "Πού έβαλες το κόκκινο βιβλίο που ήταν στο τραπέζι;",
    "Το μικρό λιμάνι δεν είναι μακριά από εδώ.",
)


def new_language_project(
    folder: Path, base: Path, language: str, texts: tuple[str, ...], train: int = 6
) -> Project:
    """A project in a language that the base does not know, with made clips that say its texts."""
    project = projects.create(
        folder,
        name="New Voice",
        language=language,
        sources=[],
        base=str(base),
        values={"training.device": "cpu", "training.batch_size": 2, "training.epochs": 1},
        allow_new_language=True,
    )
    made = made_dataset(project.dataset_dir, train=train, held_out=2)
    told = [
        replace(clip, language=language, text=texts[number % len(texts)])
        for number, clip in enumerate(made)
    ]
    clips.write(project.dataset_dir, [as_clip(clip, project.dataset_dir) for clip in told])
    return project
