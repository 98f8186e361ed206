from __future__ import annotations

import time

import pytest

from engine.dataset.findings.coverage import OFTEN, Coverage, alphabet_of, coverage_of
from engine.languages import LANGUAGES


def looked(*texts: str, language: str = "en") -> Coverage:
    return coverage_of(texts, [5.0] * len(texts), language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "I am here. Are you there? Oh no!"),
        ("es", "Estoy aquí. ¿Dónde estás? ¡Qué bien!"),
        ("fr", "Je suis là. Où es-tu ? C’est « bien ! »"),
        ("de", "Ich bin da. Wo bist du? „Wie schön!“"),
        ("it", "Sono qui. Dove sei? Che bello!"),
        ("pt", "Estou aqui. Onde estás? Que bom!"),
        ("pl", "Jestem tu. Gdzie jesteś? Super!"),
        ("tr", "Ben buradayım. Neredesin? Ne güzel!"),
        ("ru", "Я здесь. Где ты? Ура!"),
        ("nl", "Ik ben hier. Waar ben je? Wat mooi!"),
        ("cs", "Jsem tu. Kde jsi? Krása!"),
        ("ar", "أنا هنا. أين أنت؟ ما أجمل هذا!"),
        ("zh-cn", "我在这里。你在哪里？太好了！"),
        ("hu", "Itt vagyok. Hol vagy? De jó!"),
        ("ko", "나 여기 있어. 어디 있니? 좋아!"),
        ("ja", "ここにいます。どこですか？すごい！"),
        ("hi", "मैं यहाँ हूँ। तुम कहाँ हो? वाह!"),
    ],
)
def test_each_language_has_its_marks_and_its_alphabet(language: str, text: str) -> None:
    found = looked(text, language=language)
    assert (found.statements, found.questions, found.exclamations) == (1, 1, 1)
    assert found.unmarked == 0
    alphabet = alphabet_of(language)
    assert len(alphabet.common) == len(set(alphabet.common)) == found.sounds == 100
    assert alphabet.numbers
    everything = looked(" ".join([*alphabet.letters, *alphabet.common * OFTEN]), language=language)
    assert everything.missing_letters == everything.missing_sounds == ()
    often = looked(*[text] * OFTEN, language=language)
    assert 0 < len(often.missing_sounds) < 100, "the text holds some of them often enough"


def test_all_languages_of_the_base_are_known() -> None:
    assert all(alphabet_of(language).common for language in LANGUAGES)
    assert alphabet_of("xx").common == ()
    assert looked("Anything at all.", language="xx").sounds == 0


def test_names_numbers_and_dates_are_found() -> None:
    found = looked(
        "On 3.4.2021 Anna met Bob, Clara and him. I saw two of them in June.",
        "It was 1987, or 12,500 years ago. Nobody knows",
    )
    assert found.names == 4, "Anna, Bob, Clara, June and none of I, On, It, Nobody"
    assert found.numbers == 4, "3.4.2021 counts as one, two is written out"
    assert found.dates == 3
    assert found.unmarked == 1
    assert looked("Der Hund und Anna.", language="de").names is None
    assert looked("你好。", language="zh-cn").names is None


def test_decimals_and_abbreviations_inside_words_end_no_sentence() -> None:
    assert looked("It costs 3.50 at voice.example today.").sentences == 1
    assert looked('He said "Stop!" and went on.').exclamations == 1
    assert looked("What?! Really... Yes").questions == 1


def test_words_and_lengths() -> None:
    found = coverage_of(["Can't stop, won't stop.", "ГДЕ где"], [2.0, 9.0], "ru")
    assert (found.words, found.all_words) == (4, 6)
    assert (found.short, found.long) == (0.5, 0.5)
    assert looked("हिन्दी हिन्दी", language="hi").words == 1, "vowel signs belong to their letters"
    assert looked("我在我", language="zh-cn").words == 2
    assert dict(looked("İIıi", language="tr").characters) == {"i": 2, "ı": 2}


def test_nothing_is_covered_by_nothing() -> None:
    found = coverage_of([], [], "en")
    assert (found.sentences, found.words, found.short) == (0, 0, 0.0)
    assert len(found.missing_letters) == 26


def test_fifty_thousand_texts_take_about_a_second() -> None:
    texts = [f"Sentence {n} is about Anna, is it not? Yes!" for n in range(50_000)]
    begun = time.process_time()
    coverage_of(texts, [5.0] * len(texts), "en")
    assert time.process_time() - begun < 3.0
