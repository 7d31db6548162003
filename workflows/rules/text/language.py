"""The language of a short text, by its small words. Eight languages, no model: the detectors weigh 20 MB and more.

Small words ("the", "und", "pour") are a third of any running text and hardly overlap between languages; letters that
only one language uses speak as well. What does not speak clearly is "": the caller falls back to the thread's language.
"""

import re
from functools import cache

LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl", "pl")

_WORDS = {
    "en": """the and you for are have with that this would could should will can your our we is it to of in on be not
        please thanks thank hello hi dear regards what when how do does did from was has been about let know me my if
        but they there just by need any or an at as us like get which who best sincerely i'm it's don't yes""",
    "de": """der die das und ich sie wir nicht ist ein eine einen einem einer für mit auf zu den dem von im sich auch
        bitte danke hallo liebe lieber sehr geehrte geehrter herr frau grüße gruß grüßen viele freundlichen wie was wann
        könnten können kann haben hat wird werden noch bei uns ihnen ihre ihr es aber oder dass wenn nach über als
        schon mir mich dich du ja nein am vom zum zur bis gibt würde möchte bin sind""",
    "fr": """le la les des une et vous nous je pour est dans que qui pas sur avec votre notre bonjour merci cordialement
        madame monsieur serait pourriez pouvez avez ce cette ces du au aux être ont été mais ou où si bien plus tout
        vos nos il elle sont suis salut bonne journée quand comment c'est j'ai n'est d'une qu'il très aussi mon ma""",
    "es": """el los las una y usted nosotros para por con que es en del se su sus hola gracias saludos estimado estimada
        puede podría pero como cuando está esta este esto más muy también buenos días tardes lo le les nos si sí porque
        hay ser fue tiene tengo quiero cuál qué nuestro nuestra al ya me mi un atentamente cordial favor""",
    "pt": """o os as uma e você vocês nós para por com que é em do da dos das se seu sua olá obrigado obrigada
        cumprimentos atenciosamente caro cara pode poderia mas como quando está este esta isso mais muito também bom dia
        boa tarde não são foi tem tenho quero qual nosso nossa ao já me meu minha um no na até pelo pela nos""",
    "it": """il lo gli una e lei noi per con che è in del della dei delle si suo sua ciao grazie saluti cordiali gentile
        egregio può potrebbe ma come quando questo questa più molto anche buongiorno buonasera non sono ho ha abbiamo
        vorrei qual quale nostro nostra al alla già mi mio mia un di da nel nella ci vi perché distinti dal""",
    "nl": """het een en ik u wij we niet is voor met op te van aan ook graag alstublieft bedankt hallo beste geachte
        groet groeten vriendelijke hoe wat wanneer kunt kunnen kan zou hebben heeft wordt worden nog bij ons uw jullie
        je jij maar of dat als naar over mij er zijn was deze dit om dank hoi heb ben dan wel geen mijn onze""",
    "pl": """i w na z do nie jest się że o dla po od za jak czy co kiedy proszę dziękuję dzień dobry witam pozdrawiam
        pan pani pana państwo szanowny szanowna mogę może możemy mam mamy ma być był była ale lub oraz już też tylko
        tym ten ta tej tego nas nam mi mój moja nasz bardzo przez będzie chciałbym chciałabym to cześć są""",
}
_LETTERS = {
    "de": "äöüß",
    "fr": "çœêèùîûàëô",
    "es": "ñ¿¡áíú",
    "pt": "ãõçâêáíú",
    "it": "ìòàèù",
    "nl": "ĳë",
    "pl": "łąęśżźćńó",
}
_INDEX = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")  # noqa: RUF001 (the apostrophe that people's keyboards make)
_STRIP = re.compile(r"https?://\S+|\S+@\S+")
_MOST_CHARACTERS = 4000
_LEAST = 2.0
_LEAD = 1.25


def language_of(text: str) -> str:
    """The two-letter code of one of `LANGUAGES`, or "" when the text does not tell."""
    words = _WORD.findall(_STRIP.sub(" ", text[:_MOST_CHARACTERS]).lower().replace("’", "'"))  # noqa: RUF001
    spanish = {"es": 2.0} if "¿" in text or "¡" in text else {}  # nobody else writes them
    ranked = sorted(
        ((_score(words, language) + spanish.get(language, 0.0), language) for language in LANGUAGES), reverse=True
    )
    (best, language), (second, _) = ranked[0], ranked[1]
    return language if best >= _LEAST and best >= second * _LEAD else ""


@cache
def small_words() -> frozenset[str]:
    """The small words of all languages: they say nothing about what a text is about."""
    return frozenset().union(*_INDEX.values())


def _score(words: list[str], language: str) -> float:
    letters = _LETTERS.get(language, "")
    score = 0.0
    for word in words:
        parts = (word, *word.split("'")) if "'" in word else (word,)
        if any(part in _INDEX[language] for part in parts):
            score += 1.0
        elif any(letter in letters for letter in word):
            score += 0.5
    return score
