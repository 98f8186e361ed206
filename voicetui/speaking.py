"""What a voice is tried with."""

from __future__ import annotations

from dataclasses import dataclass

# One for each language of XTTS: a statement, a pause and a question, so that a listener hears the
# melody of the voice as well as its sounds.
SENTENCES: dict[str, str] = {
    "en": "The rain had stopped before noon, and a thin fog hung over the river. Shall we walk?",
    "es": "La lluvia paró antes del mediodía, y una niebla fina cubría el río. ¿Paseamos?",
    "fr": "La pluie a cessé avant midi, et un léger brouillard couvrait la rivière. On y va ?",
    "de": "Der Regen hörte vor Mittag auf, und über dem Fluss lag feiner Nebel. Gehen wir?",
    "it": "La pioggia è finita prima di mezzogiorno, e sul fiume c'era nebbia. Usciamo?",
    "pt": "A chuva parou antes do meio-dia, e uma névoa leve cobria o rio. Vamos passear?",
    "pl": "Deszcz ustał przed południem, a nad rzeką wisiała lekka mgła. Idziemy na spacer?",
    "tr": "Yağmur öğleden önce durdu ve nehrin üzerinde ince bir sis vardı. Yürüyelim mi?",
    "ru": "Дождь перестал до полудня, и над рекой висел лёгкий туман. Пойдём гулять?",
    "nl": "De regen stopte voor de middag, en boven de rivier hing een dunne mist. Gaan we?",
    "cs": "Déšť ustal před polednem a nad řekou visela lehká mlha. Půjdeme na procházku?",
    "ar": "توقف المطر قبل الظهر، وكان ضباب خفيف يغطي النهر. هل نخرج؟",
    "zh-cn": "中午之前雨停了，河面上有一层薄雾。我们去散步吗？",
    "hu": "Az eső dél előtt elállt, és a folyó fölött könnyű köd lebegett. Sétálunk egyet?",
    "ko": "정오가 되기 전에 비가 그쳤고, 강 위에는 옅은 안개가 끼었습니다. 산책할까요?",
    "ja": "昼前に雨がやみ、川の上には薄い霧がかかっていました。散歩に行きましょうか？",
    "hi": "दोपहर से पहले बारिश रुक गई, और नदी पर हल्का कोहरा था। क्या हम टहलने चलें?",
}


@dataclass(frozen=True)
class Utterance:
    """A text, and the voice of the base that speaks it; "" for the project's own."""

    text: str
    voice: str = ""


def sentence_for(language: str, remembered: str = "") -> str:
    """What to speak: what the person spoke last, else the language's own sentence."""
    return remembered or SENTENCES.get(language, SENTENCES["en"])
