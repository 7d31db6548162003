"""Alert mails of platforms: raw mails of their real shape, read by known templates, never guessed at."""

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.ledgers import OWNER, House
from tools.mail import mime
from workflows.models.leads import Lead, Pay
from workflows.models.mail import Address, Email
from workflows.models.money import Money
from workflows.models.routes import Ignore, Posted, Start, Surroundings
from workflows.rules.leads.job_alerts import FORWARDED, INVITED, Unknown, alerts
from workflows.rules.routing import route

MAILS = Path(__file__).parents[1] / "mail" / "alerts"
OWN = frozenset({"ada@winter.example"})


def mail(name: str) -> Email:
    return mime.parse((MAILS / f"{name}.eml").read_bytes())


def leads(name: str) -> tuple[Lead, ...]:
    found = alerts(mail(name), OWN)
    assert isinstance(found, tuple), found
    return found


def usd(least: int, most: int, per: str = "hour") -> Pay:
    return Pay(least=Money(minor=least, currency="USD"), most=Money(minor=most, currency="USD"), per=per)  # type: ignore[arg-type]


def test_there_are_enough_recorded_mails():
    assert len(list(MAILS.glob("*.eml"))) >= 12


def test_an_hourly_job_of_upwork_with_every_field():
    assert leads("upwork-hourly") == (
        Lead(
            source="mail:upwork", id="~022100070000365204895", title="Client Success & Django Developer",
            text="We need a payment page in Django for our bakery, with tests. Have you built one with Stripe before? "
                 "The work takes about six weeks...",
            url="https://www.upwork.com/jobs/~022100070000365204895", published=datetime(2026, 8, 26, tzinfo=UTC),
            skills=("Django", "Stripe", "Python"), engagement="freelance", pay=usd(4000, 6000),
            questions=("Have you built one with Stripe before?",), attribution="Upwork",
        ),
    )  # fmt: skip


def test_the_newer_template_with_its_link_at_the_end():
    (lead,) = leads("upwork-hourly-current")
    assert (lead.title, lead.pay, lead.skills) == (
        "Automations & AI", usd(2500, 6500), ("Artificial Intelligence", "Automation", "Python"),
    )  # fmt: skip
    assert lead.text == "I run a Youtube agency that helps US realtors get more views, leads and deals."


def test_a_rate_of_nothing_is_unknown_and_a_day_without_year_is_never_in_the_future():
    (lead,) = leads("upwork-unknown-rate")
    assert lead.pay is None
    assert lead.published == datetime(2025, 12, 31, tzinfo=UTC)
    assert lead.url == "https://www.upwork.com/jobs/~0112345678abcdef01"


def test_a_fixed_price_from_the_html_alone():
    (lead,) = leads("upwork-fixed-html-only")
    assert (lead.title, lead.pay) == ("Build a Shopify product configurator", usd(150000, 150000, "project"))
    assert lead.skills == ("React", "Shopify", "Liquid")
    assert lead.text.startswith("We need a React-based product configurator")


def test_a_digest_is_as_many_leads():
    assert [(one.title, one.pay, one.skills) for one in leads("upwork-digest")] == [
        ("Django REST backend for a booking app", usd(5000, 8000), ("Django", "REST")),
        ("Bakery shop in Wagtail", usd(300000, 300000, "project"), ("Wagtail", "Django")),
        ("Data entry", usd(300, 500), ()),
    ]


@pytest.mark.parametrize(
    ("name", "title", "url"),
    [
        ("upwork-invitation", "Bakery payment page in Django",
         "https://www.upwork.com/ab/proposals/interview/uid/1799999999999999999"),
        ("upwork-invitation-older", "Senior iOS Engineer", "https://www.upwork.com/ab/proposals/jobdetails/123456"),
        ("upwork-enterprise", "Microsoft Dynamics and Power BI Dashboard Creator",
         "https://www.upwork.com/jobs/~022100070000365209999"),
    ],
)  # fmt: skip
def test_an_invitation_says_that_it_is_one(name: str, title: str, url: str):
    (lead,) = leads(name)
    assert (lead.title, lead.url) == (title, url)
    assert INVITED in lead.flags


def test_the_clients_own_note_is_the_text_of_an_invitation():
    (lead,) = leads("upwork-invitation")
    assert lead.text == "Your museum shop is just what we need. Could you do the same for us?"


def test_a_title_that_sounds_like_other_mail_is_an_alert_all_the_same():
    assert leads("upwork-contract-lawyer")[0].title == "Contract lawyer for payment terms"


@pytest.mark.parametrize("name", ["upwork-forwarded-gmail", "upwork-forwarded-outlook-german"])
def test_a_copy_the_owner_forwards_is_read_and_flagged(name: str):
    (lead,) = leads(name)
    assert FORWARDED in lead.flags
    assert replace(lead, flags=(), published=None, skills=(), text="", questions=()) == replace(
        leads("upwork-hourly" if "gmail" in name else "upwork-hourly-current")[0],
        flags=(), published=None, skills=(), text="", questions=(),
    )  # fmt: skip


def test_linkedin_with_several_jobs_in_plain_text():
    first, second = leads("linkedin-text")
    assert (first.title, first.company, first.place, first.engagement) == (
        "Python Developer (Contract)", "Acme Robotics GmbH", "Berlin, Germany", "contract",
    )  # fmt: skip
    assert first.url == "https://www.linkedin.com/jobs/view/4457198691"
    assert (second.title, second.company, second.place) == ("Data Engineer (Remote / Hybrid)", "Globex", "Germany")
    assert second.pay == Pay(
        least=Money(minor=7000000, currency="EUR"), most=Money(minor=8000000, currency="EUR"), per="year"
    )


def test_linkedin_in_html_alone():
    assert [(one.title, one.company, one.place, one.id) for one in leads("linkedin-html-only")] == [
        ("Kameraassistent (m/w/d)", "Serienwerk GmbH", "Köln, Nordrhein-Westfalen", "4012345678"),
        ("Kreditorenbuchhalter", "Zahlen AG", "Köln (Remote)", "4099999999"),
    ]


# ---------------------------------------------------------------- what is not known


@pytest.mark.parametrize(
    ("name", "code", "platform", "read"),
    [
        ("upwork-new-template", "unknown-template", "Upwork", 0),
        ("upwork-redirect-only", "no-job-link", "Upwork", 0),
        ("upwork-malformed-terms", "unreadable-job", "Upwork", 0),
        ("upwork-digest-partly-broken", "unreadable-job", "Upwork", 2),
    ],
)
def test_a_template_that_is_not_known_is_set_aside_with_a_code(name: str, code: str, platform: str, read: int):
    found = alerts(mail(name), OWN)
    assert isinstance(found, Unknown)
    assert (found.code, found.platform, len(found.leads)) == (code, platform, read)
    assert f"(code {code})" in found.says


@pytest.mark.parametrize(
    "name",
    [
        "upwork-payment", "upwork-message", "linkedin-applied", "forwarded-by-somebody", "forwarded-without-its-sender",
    ],
)  # fmt: skip
def test_other_mail_is_no_alert(name: str):
    assert alerts(mail(name), OWN) is None


def test_a_link_to_another_site_is_no_job():
    email = mail("upwork-hourly")
    forged = replace(
        email, text=email.text.replace("https://www.upwork.com/jobs/", "https://upwork.com.evil.example/jobs/")
    )
    assert isinstance(alerts(replace(forged, html_text=""), OWN), Unknown)
    plain = replace(email, text=email.text.replace("https://", "http://"), html_text="")
    assert isinstance(alerts(plain, OWN), Unknown)


def test_two_senders_are_nobodys_alert():
    email = mail("upwork-hourly")
    assert alerts(replace(email, senders=(*email.senders, Address(email="x@evil.example"))), OWN) is None


def test_no_mail_however_mangled_raises_or_makes_leads_without_title_and_link():
    seeded = random.Random(7)
    texts = [mail(path.stem) for path in sorted(MAILS.glob("*.eml"))]
    for _ in range(600):
        email = seeded.choice(texts)
        lines = email.text.split("\n")
        for _ in range(seeded.randint(1, 12)):
            at = seeded.randrange(len(lines))
            lines[at] = seeded.choice(
                ["", lines[at][::-1], "-----", "https://", lines[at] * 40, "[](", "\u202e", "Skills:"]
            )
        seeded.shuffle(lines) if seeded.random() < 0.3 else None
        found = alerts(replace(email, text="\n".join(lines), subject=seeded.choice(texts).subject), OWN)
        read = found if isinstance(found, tuple) else found.leads if found else ()
        assert all(one.title and one.url.startswith("https://www.") for one in read)


# ---------------------------------------------------------------- in the ledger


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "home")
    yield made
    made.engine.dispose()


def receive(house: House, name: str, verdict: Start | Ignore | None = None):
    def decide(email: Email, around: Surroundings):
        found = route(email, OWNER, around)
        if isinstance(found, Posted) and verdict:
            return replace(found, verdicts=tuple(verdict for _ in found.leads))
        return found

    return house.ledger.record_mail(mail(name), "inbox", decide, house.clock.now())


def test_an_alert_becomes_cases_in_the_transaction_that_records_the_mail(house: House):
    assert receive(house, "upwork-digest") is None, "the mail itself is nobody's event"
    assert [(one.kind, one.case) for one in house.ledger.undelivered()] == [("lead", 1), ("lead", 2), ("lead", 3)]
    assert house.ledger.case(1).kind == "bid"
    lead = house.ledger.lead_of(2)
    assert lead is not None
    assert lead.title == "Bakery shop in Wagtail"
    assert house.ledger.clients() == (), "a platform's address is no client"
    assert house.ledger.ignored() == ()
    assert receive(house, "upwork-digest") is None
    assert len(house.ledger.undelivered()) == 3


def test_a_job_alerted_twice_is_one_lead_and_skipped_ones_have_their_reason(house: House):
    receive(house, "upwork-hourly", Ignore(rule="score", reason="Its score is below 0.55."))
    receive(house, "upwork-forwarded-gmail")
    assert house.ledger.undelivered() == ()
    assert [(one.rule, one.sender) for one in house.ledger.ignored()] == [("score", "mail:upwork")]


def test_an_unknown_template_is_quarantined_with_what_could_be_read(house: House):
    receive(house, "upwork-digest-partly-broken")
    assert len(house.ledger.undelivered()) == 2
    (aside,) = house.ledger.untold_leads_aside()
    assert (aside.rule, aside.sender) == ("job-alert", "donotreply@upwork.com")
    assert "(code unreadable-job)" in aside.reason
    assert "2 new leads" in aside.reason


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("upwork-forged", "not-proven"), ("upwork-payment", "platform-notice"), ("upwork-message", None),
        ("forwarded-by-somebody", None), ("linkedin-applied", "platform-notice"),
    ],
)  # fmt: skip
def test_what_is_no_proven_alert_never_makes_a_lead(house: House, name: str, rule: str | None):
    receive(house, name)
    assert all(one.kind != "lead" for one in house.ledger.undelivered())
    assert house.ledger.lead_of(1) is None
    if rule:
        assert [one.rule for one in house.ledger.ignored()] == [rule]


def test_alerts_are_notices_where_the_owner_does_not_want_them(tmp_path: Path):
    from memory.ledger import Intake

    for intake in (Intake(first_day="ask", alerts=False), Intake(first_day="ask", ignore=("upwork.com",))):
        house = House(tmp_path / f"home{len(intake.ignore)}", intake=intake)
        receive(house, "upwork-hourly")
        assert house.ledger.undelivered() == ()
        assert [one.rule for one in house.ledger.ignored()] == ["ignore-list" if intake.ignore else "platform-notice"]
        house.engine.dispose()


@pytest.mark.parametrize(
    "piece",
    [
        "https://www.upwork.com/jobs/", "https://www.upwork.com/jobs/~02", "[View job](https://www.upwork.com/jobs/x) ",
        "https://www.linkedin.com/comm/jobs/view/", "word ", "Hourly: $4\n", "Skills:\n", "[", "(", "\n", "?", "a?b ",
        "Posted on: Aug 26\n", "Please mention the word ", "x@", "1,000,",
    ],
)  # fmt: skip
def test_a_mail_built_to_take_long_does_not(piece: str):
    """Routing happens while the ledger is held: a mail may take a moment of it, never more."""
    filled = (piece * (200_000 // len(piece)))[:200_000]
    good = "\nClient work\nhttps://www.upwork.com/jobs/~022100070000365204895\nHourly: $40.00 - $60.00\n"
    for text in (filled, good + filled, filled + good):
        for name in ("upwork-hourly", "linkedin-text", "upwork-forwarded-gmail"):
            begun = time.process_time()
            alerts(replace(mail(name), text=text, html_text=""), OWN)
            assert time.process_time() - begun < 5  # 0.5 on an idle machine; by the square it were minutes


def test_a_mail_that_lists_jobs_is_an_alert_whatever_its_subject() -> None:
    one, two = (f"https://www.upwork.com/jobs/~0{number}23456789abcdef01" for number in (1, 2))
    raw = "From: <donotreply@upwork.com>\r\nSubject: Your weekly recap\r\n\r\nThese may interest you:\r\n{}\r\n{}\r\n"
    found = alerts(mime.parse(raw.format(one, two).encode()))
    assert isinstance(found, Unknown)
    assert found.code == "unknown-template"
    assert alerts(mime.parse(raw.format(one, f"{one}?source=recap").encode())) is None
