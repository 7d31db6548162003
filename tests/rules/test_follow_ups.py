"""Whether a sent mail asked something: by table; and when silence is long enough."""

from datetime import UTC, datetime, timedelta

import pytest

from workflows.models.people import Owner
from workflows.rules.asking import acknowledgement
from workflows.rules.desk.follow_ups import FollowUpTerms, asked_in, is_silent

OWNER = Owner(name="Ada Winter", address="ada@winter.example", timezone="Europe/Berlin", country="DE")
ASKS = [
    "Does Thursday suit you?", "Could you send me the logo?", "Please send me the logo by Friday.",
    "Which of the two drafts do you prefer?", "Is the offer fine for you?", "Passt Ihnen der Donnerstag?",
    "Bitte schicken Sie mir das Logo.", "Können Sie mir das Logo schicken?", "Le devis vous convient-il ?",
    "Pourriez-vous m'envoyer le logo ?", "¿Le parece bien el jueves?", "Va bene giovedì?", "Schikt donderdag?",
    "Czy czwartek pasuje?", "Quinta-feira serve?",
]  # fmt: skip
TELLS = [
    "The header is blue now.", "Here is the brief.", "Thank you for the call.", "I will send it tomorrow.",
    "Let me know if you have questions.", "If anything is unclear, just write to me.", "Have a nice weekend!",
    "Die Seite ist online.", "Bei Fragen melden Sie sich gern, wenn etwas unklar ist.", "Merci pour votre message.",
]  # fmt: skip


@pytest.mark.parametrize("text", ASKS)
def test_what_asks(text: str) -> None:
    assert asked_in(f"Hello Maria,\n\nthe draft is done.\n\n{text}\n\nAda\n", ("de", "fr", "en")) == text


@pytest.mark.parametrize("text", TELLS)
def test_what_asks_nothing(text: str) -> None:
    assert asked_in(f"Hello Maria,\n\n{text}\n\nAda\n", ("en",)) == ""


@pytest.mark.parametrize("language", sorted(acknowledgement.languages()))
def test_our_own_holding_reply_asks_nothing(language: str) -> None:
    assert asked_in(acknowledgement.compose(language, "Maria", "Website", "Ada Winter"), (language,)) == ""


def test_only_the_owners_working_days_count() -> None:
    monday = datetime(2026, 11, 23, 9, tzinfo=UTC)
    terms = FollowUpTerms(after=5)
    assert not is_silent(monday, monday + timedelta(days=6, hours=23), terms, OWNER)
    assert is_silent(monday, monday + timedelta(days=7), terms, OWNER)
    advent = datetime(2026, 12, 21, 9, tzinfo=UTC)  # Christmas and the weekend are in between
    assert not is_silent(advent, advent + timedelta(days=7), terms, OWNER)
    assert is_silent(advent, advent + timedelta(days=8), terms, OWNER)
