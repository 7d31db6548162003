"""Times that clients name and ask for: in eight languages, in whose zone, and what is none to meet at."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.models.people import Owner
from workflows.rules.desk.asked_times import asked_times

BERLIN = ZoneInfo("Europe/Berlin")
OWNER = Owner(name="Ada Winter", address="ada@winter.example", timezone="Europe/Berlin", country="DE")
NOW = datetime(2026, 3, 9, 9, 30, tzinfo=BERLIN)  # a Monday


def named(text: str, language: str, zone: str = "") -> list[str]:
    """Each time as it is in Berlin: a moment, a moment with its end, or a stretch in brackets."""
    shown = []
    for asked in asked_times(text, language, NOW, OWNER, zone).times:
        start = asked.start.astimezone(BERLIN)
        text_of = f"{start:%m-%d %H:%M}"
        if asked.end:
            end = asked.end.astimezone(BERLIN)
            text_of += f" - {end:%H:%M}" if end.date() == start.date() else f" - {end:%m-%d %H:%M}"
        shown.append(text_of if asked.exact else f"[{text_of}]")
    return shown


EXACT = [
    # English
    ("en", "Does Thursday 10:00 work for you?", ["03-12 10:00"]),
    ("en", "Would Thursday at 3 work for a call?", ["03-12 15:00"]),
    ("en", "Could we meet on 12 March at 10am?", ["03-12 10:00"]),
    ("en", "Could we talk tomorrow at 2:30 pm?", ["03-10 14:30"]),
    ("en", "I'd like to have a call. How about Friday, 13 March, 11:00?", ["03-13 11:00"]),
    ("en", "Are you free on March 17th at 4 pm?", ["03-17 16:00"]),
    ("en", "Can we meet Wednesday 10:00-11:00?", ["03-11 10:00 - 11:00"]),
    ("en", "Would a call on Thursday between 2 and 4 pm suit you?", ["03-12 14:00 - 16:00"]),
    ("en", "Shall we schedule a call for Tuesday or Thursday at 10:00?", ["03-10 10:00", "03-12 10:00"]),
    ("en", "Can we speak on Thursday at 10:00 or 14:00?", ["03-12 10:00", "03-12 14:00"]),
    ("en", "Does 2026-03-20 at 09:30 suit you?", ["03-20 09:30"]),
    ("en", "Hi Ada,\n\nthanks for the draft! Would Thursday\n10:00 work for a short call?\n\nAnna", ["03-12 10:00"]),
    ("en", "A call today at 17:00 would be good, is that possible?", ["03-09 17:00"]),
    ("en", "I could do Tuesday the 17th at 9am or Wednesday the 18th at 2pm.", ["03-17 09:00", "03-18 14:00"]),
    ("en", "Can we do Thu 12/03 at 10:00?", ["03-12 10:00"]),
    ("en", "Let's meet on Thursday, March 12, 2026 at 2:00 PM.", ["03-12 14:00"]),
    ("en", "Do you have 30 minutes on Thursday around 3pm?", ["03-12 15:00"]),
    ("en", "Could we talk on Thursday afternoon at 3?", ["03-12 15:00"]),
    ("en", "Is Friday 10 possible for a call?", ["03-13 10:00"]),  # the 10th is a Tuesday
    ("en", "Please pay by Friday. Could we also have a call on Monday at 11:00?", ["03-16 11:00"]),
    # German
    ("de", "Hätten Sie am Do, 12.03. um 10:00 Uhr Zeit?", ["03-12 10:00"]),
    ("de", "Hätten Sie kommenden Mittwoch gegen 11 Uhr Zeit für einen Call?", ["03-11 11:00"]),
    ("de", "Hast du morgen früh um 9 Zeit zum Telefonieren?", ["03-10 09:00"]),
    ("de", "Passt Ihnen Donnerstag um 10 Uhr?", ["03-12 10:00"]),
    ("de", "Können wir am 12. März um 15 Uhr telefonieren?", ["03-12 15:00"]),
    ("de", "Hätten Sie am Freitag, den 13.3. um 9:30 Uhr Zeit für ein Gespräch?", ["03-13 09:30"]),
    ("de", "Wie wäre es morgen um 14 Uhr für ein kurzes Telefonat?", ["03-10 14:00"]),
    ("de", "Wollen wir uns am Mittwoch zwischen 10 und 12 Uhr treffen?", ["03-11 10:00 - 12:00"]),
    ("de", "Termin am 17. März, 11:00 bis 12:00 Uhr, passt das?", ["03-17 11:00 - 12:00"]),
    ("de", "Geht Dienstag oder Donnerstag um 10:00 für einen Anruf?", ["03-10 10:00", "03-12 10:00"]),
    ("de", "Können wir am Montag um 16.30 Uhr sprechen?", ["03-16 16:30"]),
    # French
    ("fr", "Êtes-vous disponible jeudi à 10h ?", ["03-12 10:00"]),
    ("fr", "Pouvons-nous prévoir un appel le 3 avril à 14h ?", ["04-03 14:00"]),
    ("fr", "Un rendez-vous mardi prochain à 9h30 vous convient-il ?", ["03-10 09:30"]),
    ("fr", "Demain à 15 h pour un point téléphonique, c'est possible ?", ["03-10 15:00"]),
    ("fr", "Seriez-vous libre vendredi entre 10h et 12h ?", ["03-13 10:00 - 12:00"]),
    ("fr", "Pouvez-vous m'appeler demain après-midi vers 15h ?", ["03-10 15:00"]),
    ("fr", "Seriez-vous libre mardi 17 à 10h ?", ["03-17 10:00"]),
    # Spanish
    ("es", "¿Puede ser el martes 17 de marzo a las 9:30?", ["03-17 09:30"]),
    ("es", "¿Le viene bien mañana a las 10?", ["03-10 10:00"]),
    ("es", "¿Podemos hablar el jueves a las 16:30?", ["03-12 16:30"]),
    ("es", "¿Tendría tiempo para una llamada el 3 de abril a las 11:00?", ["04-03 11:00"]),
    ("es", "¿Podríamos reunirnos el viernes entre las 10 y las 12?", ["03-13 10:00 - 12:00"]),
    # Italian, Dutch, Polish, Portuguese
    ("it", "È disponibile giovedì alle 10?", ["03-12 10:00"]),
    ("it", "Possiamo sentirci domani alle 15:30?", ["03-10 15:30"]),
    ("nl", "Kunnen we donderdag om 10 uur bellen?", ["03-12 10:00"]),
    ("nl", "Heeft u tijd voor een gesprek op 12 maart om 14:00?", ["03-12 14:00"]),
    ("pl", "Czy pasuje czwartek o 10:00?", ["03-12 10:00"]),
    ("pt", "Tem tempo para uma reunião amanhã às 15h?", ["03-10 15:00"]),
    ("pt", "Podemos falar quinta-feira às 10:00?", ["03-12 10:00"]),
]

STRETCHES = [
    ("en", "Could we have a call next Tuesday afternoon?", ["[03-10 12:00 - 18:00]"]),
    ("en", "Are you free on Thursday morning?", ["[03-12 08:00 - 12:00]"]),
    ("en", "Do you have time for a call next week?", ["[03-16 00:00 - 03-20 23:59]"]),
    ("en", "Would Thursday work for a meeting?", ["[03-12 00:00 - 23:59]"]),
    (
        "de",
        "Haben Sie am Donnerstagnachmittag oder am Freitag Vormittag Zeit?",
        ["[03-12 12:00 - 18:00]", "[03-13 08:00 - 12:00]"],
    ),
    ("de", "Passt Ihnen nächste Woche ein Telefonat?", ["[03-16 00:00 - 03-20 23:59]"]),
    ("fr", "Seriez-vous disponible la semaine prochaine ?", ["[03-16 00:00 - 03-20 23:59]"]),
    ("es", "¿Está libre el jueves por la tarde?", ["[03-12 12:00 - 18:00]"]),
    ("nl", "Bent u volgende week beschikbaar?", ["[03-16 00:00 - 03-20 23:59]"]),
]

ZONES = [
    ("Does Thursday 10am EST work for a call?", "", ["03-12 15:00"]),  # New York has summer time, Berlin not yet
    ("Would Thursday, 15:00 CET, suit you?", "America/New_York", ["03-12 15:00"]),
    ("Does Thursday 15:00 your time work?", "America/New_York", ["03-12 15:00"]),
    ("Does Thursday 9:00 work for a call?", "America/New_York", ["03-12 14:00"]),
    ("Does Thursday 9:00 my time work for a call?", "America/New_York", ["03-12 14:00"]),
    ("Could we talk on Thursday at 14:00 UTC?", "", ["03-12 15:00"]),
    ("Could we talk on Thursday at 14:00 (UTC+5:30)?", "", ["03-12 09:30"]),
    ("Could we talk on Thursday at 10:00 London time?", "", ["03-12 11:00"]),
    ("Could we talk on Thursday at 8 am Pacific?", "", ["03-12 16:00"]),
    ("Can we meet on 2 April at 10am ET?", "", ["04-02 16:00"]),
]

NONE = [
    ("en", "Could you send the draft by Thursday 10:00? Then we can have a call."),
    ("en", "Please send me the invoice until Friday."),
    ("en", "Thanks for the call on Monday, it was great."),
    ("en", "The server is down since Thursday 10:00."),
    ("en", "The new menu has 12 dishes and costs 10.50 each; I'll call you."),
    ("en", "Version 2.4 of the call form is 3/4 done."),
    ("en", "We may sit in the sun and talk."),
    ("de", "Bitte schicken Sie den Entwurf bis Donnerstag, 10:00 Uhr."),
    ("de", "Danke für das Gespräch am Montag."),
    ("de", "Das ist so nicht möglich, wir sprechen morgens nie darüber, do ut des."),
    ("fr", "Merci d'envoyer le devis avant jeudi."),
    ("fr", "Merci pour notre appel de lundi."),
    ("es", "Envíe el borrador antes del jueves, por favor."),
    ("es", "Gracias por la llamada del lunes."),
    ("en", "See you on 30 February at 10:00 for the meeting?"),
]

WANTS = [
    ("en", "When would you have time for a call?", True),
    ("en", "Could you suggest a few times that suit you for a meeting?", True),
    ("en", "What time works for a chat?", True),
    ("en", "Let me know when you are available.", True),
    ("en", "When will the draft be ready?", False),
    ("en", "When does the work start?", False),
    ("en", "Thanks for the meeting, it was clear when we met.", False),
    ("de", "Wann passt es Ihnen?", True),
    ("de", "Wann hätten Sie Zeit für ein Telefonat?", True),
    ("de", "Können Sie mir einen Termin für ein Gespräch nennen?", True),
    ("de", "Wann ist der Entwurf fertig?", False),
    ("fr", "Quand seriez-vous disponible pour un appel ?", True),
    ("fr", "Quels créneaux vous conviennent ?", True),
    ("fr", "Quand le site sera-t-il en ligne ?", False),
    ("es", "¿Cuándo podríamos hablar?", True),
    ("es", "¿Qué día le viene bien para una reunión?", True),
    ("es", "¿Cuándo estará listo el borrador?", False),
    ("it", "Quando è disponibile per una chiamata?", True),
    ("nl", "Wanneer schikt het u voor een gesprek?", True),
    ("pl", "Kiedy ma Pan czas na rozmowę?", True),
    ("pt", "Quando teria tempo para uma reunião?", True),
]


@pytest.mark.parametrize(("language", "text", "times"), EXACT)
def test_a_time_with_its_clock(language: str, text: str, times: list[str]) -> None:
    assert named(text, language) == times


@pytest.mark.parametrize(("language", "text", "times"), STRETCHES)
def test_a_stretch_in_which_a_time_is_to_be_found(language: str, text: str, times: list[str]) -> None:
    assert named(text, language) == times


@pytest.mark.parametrize(("text", "zone", "times"), ZONES)
def test_in_whose_zone_it_is_meant(text: str, zone: str, times: list[str]) -> None:
    assert named(text, "en", zone) == times


@pytest.mark.parametrize(("language", "text"), NONE)
def test_what_is_no_time_to_meet_at(language: str, text: str) -> None:
    assert named(text, language) == []


@pytest.mark.parametrize(("language", "text", "wants"), WANTS)
def test_whether_a_time_is_asked_for(language: str, text: str, wants: bool) -> None:
    assert asked_times(text, language, NOW, OWNER).wants is wants


def test_a_zone_that_can_mean_several_is_named_as_unknown() -> None:
    (asked,) = asked_times("Does Thursday 10am IST work for a call?", "en", NOW, OWNER).times
    assert asked.zone == ""
    (sure,) = asked_times("Does Thursday 10am EST work for a call?", "en", NOW, OWNER).times
    assert sure.zone == "America/New_York"


def test_a_named_stretch_is_where_slots_are_looked_for() -> None:
    asked = asked_times("When do you have time for a call next week?", "en", NOW, OWNER)
    assert asked.wants
    assert asked.within
    assert asked.within.start == datetime(2026, 3, 16, tzinfo=BERLIN)


def test_a_time_without_an_end_takes_as_long_as_a_slot() -> None:
    (asked,) = asked_times("Does Thursday 10:00 work?", "en", NOW, OWNER).times
    slot = asked.slot(timedelta(minutes=45))
    assert (slot.start, slot.end) == (
        datetime(2026, 3, 12, 9, tzinfo=UTC),
        datetime(2026, 3, 12, 9, 45, tzinfo=UTC),
    )


@given(
    st.text(max_size=300), st.sampled_from(["en", "de", "fr", "xx", ""]), st.sampled_from(["", "Nowhere/Land", "UTC"])
)
def test_nothing_makes_it_raise(text: str, language: str, zone: str) -> None:
    asked_times(text, language, NOW, OWNER, zone)


def test_a_long_mail_is_read_in_a_moment() -> None:
    text = "Does Thursday 10:00 or 12 March at 3 pm work for a call? " * 2_000
    before = time_of_processor()
    assert asked_times(text, "en", NOW, OWNER).times
    assert time_of_processor() - before < 5


def time_of_processor() -> float:
    import time

    return time.process_time()
