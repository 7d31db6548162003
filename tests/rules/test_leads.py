# ruff: noqa: E501, RUF001 - posts as they come
"""Job posts as they really come: what a post says, what it hides, and whether two of them are one job."""

import random
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from workflows.models.leads import Flag, Lead, Pay
from workflows.models.money import Money
from workflows.models.routes import Ignore
from workflows.rules.leads.lead import UNREADABLE, company_and_role, engagement, lead_of, moment, questions_in
from workflows.rules.leads.pay import pay_in, pay_of
from workflows.rules.leads.posts import canonical_url, clean_url, cleaned, repaired
from workflows.rules.leads.same_job import company_of, key_of, same_job, title_of

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def item(**changes: object) -> dict[str, object]:
    return {
        "id": "7", "title": "Django developer", "text": "We need a payment page.", "url": "https://jobs.example/7",
        "published": "2026-11-22T10:00:00+00:00",
    } | changes  # fmt: skip


def lead(**changes: object) -> Lead:
    found = lead_of(item(**changes), "jobs", NOW)
    assert isinstance(found, Lead), found
    return found


def refusal(**changes: object) -> Ignore:
    found = lead_of(item(**changes), "jobs", NOW)
    assert isinstance(found, Ignore), found
    return found


# ---------------------------------------------------------------- the whole item


def test_an_item_becomes_a_lead_with_every_field_read():
    found = lead(
        company="Acme GmbH", skills="Python, Django, and Postgres", pay_min=80, pay_max="100", currency="eur",
        per="hour", engagement=["Contract"], place="Germany 🇩🇪", expires="2026-12-24", attribution="Jobs Example",
        url="https://jobs.example/7?utm_source=rss&page=2", contact="Jane <jobs@acme.example>",
        questions=["When can you start?"],
    )  # fmt: skip
    assert found == Lead(
        source="jobs", id="7", title="Django developer", text="We need a payment page.", company="Acme GmbH",
        url="https://jobs.example/7?page=2", published=datetime(2026, 11, 22, 10, tzinfo=UTC),
        expires_at=datetime(2026, 12, 24, 23, 59, 59, tzinfo=UTC), skills=("Python", "Django", "Postgres"), engagement="contract",
        pay=Pay(least=Money(minor=8000, currency="EUR"), most=Money(minor=10000, currency="EUR"), per="hour"),
        place="Germany", questions=("When can you start?",), attribution="Jobs Example",
        contact=replace(found.contact, email="jobs@acme.example"),
    )  # fmt: skip


BERLIN = ZoneInfo("Europe/Berlin")
HONOLULU = ZoneInfo("Pacific/Honolulu")
LAST_DAYS = [
    "2026-11-30", date(2026, 11, 30), datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 11, 30),  # noqa: DTZ001
    "2026-11-30T00:00:00", "2026-11-30T00:00:00Z", "Mon, 30 Nov 2026 00:00:00 +0000", "2026/11/30", "20261130",
    "30.11.2026", "30 Nov 2026", "30 November 2026", "Nov 30, 2026", "November 30th, 2026", "Monday, November 30, 2026",
]  # fmt: skip


@pytest.mark.parametrize("expires", LAST_DAYS)
@pytest.mark.parametrize("zone", [UTC, BERLIN, HONOLULU])
def test_a_post_is_alive_on_its_last_day_to_its_end(expires: object, zone: tzinfo):
    post = item(expires=expires)
    for now, alive in (
        (datetime(2026, 11, 30, 0, 1, tzinfo=zone), True),
        (datetime(2026, 11, 30, 12, 0, tzinfo=zone), True),
        (datetime(2026, 11, 30, 23, 59, tzinfo=zone), True),
        (datetime(2026, 12, 1, 0, 0, tzinfo=zone), False),
    ):
        found = lead_of(post, "jobs", now, zone)
        assert isinstance(found, Lead) == alive, now
        assert alive or (isinstance(found, Ignore) and found.reason == "It expired on 30 Nov 2026.")


@pytest.mark.parametrize("expires", ["2026-11-30T09:00:00Z", "Mon, 30 Nov 2026 09:00:00 +0000", 1796029200])
def test_a_stated_time_ends_it_at_that_time(expires: object):
    for now, alive in (
        (datetime(2026, 11, 30, 8, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 30, 9, tzinfo=UTC), False),
    ):
        assert isinstance(lead_of(item(expires=expires), "jobs", now, BERLIN), Lead) == alive


@pytest.mark.parametrize(
    "expires", ["soon", "", "99999999", "2026-02-30", "31.31.2026", 10**40, "1" * 5_000, "9999-12-31"]
)
def test_what_is_no_day_ends_nothing(expires: object):
    assert isinstance(lead_of(item(expires=expires), "jobs", NOW), Lead)


@pytest.mark.parametrize(
    ("changes", "rule", "says"),
    [
        ({"expires": "2026-11-22"}, "expired", "22 Nov 2026"),
        ({"expires": "Sun, 22 Nov 2026 23:00:00 +0000"}, "expired", "22 Nov 2026"),
        ({"id": ""}, UNREADABLE, "no id"),
        ({"id": None}, UNREADABLE, "no id"),
        ({"title": "", "text": " "}, UNREADABLE, "neither a title nor a text"),
        ({"url": "javascript:alert(1)"}, UNREADABLE, "link"),
        ({"url": "https://user@evil.example/"}, UNREADABLE, "link"),
    ],
)
def test_what_is_no_lead_says_why(changes: dict[str, object], rule: str, says: str):
    found = refusal(**changes)
    assert found.rule == rule
    assert says in found.reason


def test_broken_letters_of_names_and_places_are_put_right_as_those_of_the_text():
    found = lead(company="MÃ¼ller & Söhne", place="KÃ¶ln", url="https://jobs.example/kÃ¶ln")
    assert (found.company, found.place, found.url) == ("Müller & Söhne", "Köln", "https://jobs.example/kÃ¶ln")


def test_a_post_that_expires_later_today_is_still_one():
    assert lead(expires=NOW + timedelta(minutes=1)).expires_at == NOW + timedelta(minutes=1)


def test_no_item_however_odd_raises():
    seeded = random.Random(5)
    odd = [
        None, True, 0, -1, 3.5, float("nan"), float("inf"), "", "  ", "\0", "\ud800", "x" * 100_000, [], [None, {}],
        {}, {"a": 1}, b"bytes", "9" * 400, "2026-13-45", "1e400", "$", "$$$ 5-", "A | B |", "| |", "http://[::1", "a@b",
        "🇩🇪" * 50, "\u202e" * 9, "(#" * 3000, "word " * 4000, "Mention the word " * 500, datetime.max, NOW,  # noqa: DTZ901
        datetime.min,  # noqa: DTZ901
    ]  # fmt: skip
    keys = [
        "id", "title", "text", "url", "published", "company", "skills", "pay_min", "pay_max", "currency", "per", "pay",
        "engagement", "place", "contact", "expires", "questions", "attribution", "flags",
    ]  # fmt: skip
    for _ in range(1500):
        tried = {key: seeded.choice(odd) for key in seeded.sample(keys, seeded.randint(0, len(keys)))}
        found = lead_of(tried, "odd", NOW)
        assert isinstance(found, Lead | Ignore)
        if isinstance(found, Lead):
            assert found.id
            assert found.title
            assert len(found.title) <= 200
            assert key_of(found)


# ---------------------------------------------------------------- headlines

HEADLINES = [
    ("SEEKING FREELANCER | Acme Robotics | Senior Python Developer | Remote | $80-100/hr", "Senior Python Developer",
     "Acme Robotics", "Remote"),
    ("Acme | Backend Engineer | Remote (EU) | Contract", "Backend Engineer", "Acme", "Remote (EU)"),
    ("SEEKING FREELANCER | Remote | React developer for a booking page", "React developer for a booking page", "",
     "Remote"),
    ("Globex (YC W24) | Berlin or Remote | Part-time | Rust engineer | https://globex.example", "Rust engineer",
     "Globex (YC W24)", "Berlin or Remote"),
    ("SEEKING FREELANCER | London, UK | Tiny Studio | Illustrator", "Illustrator", "Tiny Studio", "London, UK"),
    ("Hiring | Umbrella", "Umbrella", "", ""),
    ("Payment page for a bakery", "Payment page for a bakery", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("headline", "title", "company", "place"), HEADLINES)
def test_a_headline_with_bars_is_taken_apart(headline: str, title: str, company: str, place: str):
    found = lead(title=headline)
    assert (found.title, found.company, found.place) == (title, company, place)


def test_bars_in_a_title_stay_where_the_source_names_the_company():
    assert lead(title="C | C++ | Rust", company="Acme").title == "C | C++ | Rust"


@pytest.mark.parametrize(
    ("title", "parts"),
    [
        ("Acme: Backend Engineer", ("Acme", "Backend Engineer")),
        ("Acme: Engineer: Payments", ("Acme", "Engineer: Payments")),
        ("thehivecareers.co: DevOps (Remote)", ("thehivecareers.co", "DevOps (Remote)")),
        ("No colon in this title", ("", "No colon in this title")),
        ("Trailing colon:", ("", "Trailing colon:")),
        ("Ratio 3:1 designer", ("", "Ratio 3:1 designer")),
        ("x" * 80 + ": Engineer", ("", "x" * 80 + ": Engineer")),
    ],
)
def test_company_and_role(title: str, parts: tuple[str, str]):
    assert company_and_role(title) == parts


# ---------------------------------------------------------------- honeypots and broken encodings

TAG = "R" + b64encode(b"203.0.113.77").decode()
REMOTEOK = (
    "We need a Rust engineer.\n\nPlease mention the word **FUTURESTIC** and tag {tag} when applying to show you read "
    "the job post completely (#{tag}). This is a beta feature to avoid spam applicants. Companies can search these "
    "words to find applicants that read this and see they're human."
)


@pytest.mark.parametrize("address", [b"203.0.113.77", b"109.93.231.116", b"::1", b"2001:db8::77"])
def test_the_honeypot_of_remoteok_goes_and_with_it_the_tag_that_is_our_address(address: bytes):
    tag = "R" + b64encode(address).decode()
    text, flags = cleaned(REMOTEOK.format(tag=tag))
    assert text == "We need a Rust engineer."
    assert {flag.code for flag in flags} == {"honeypot"}
    assert any("FUTURESTIC" in flag.says for flag in flags)
    assert any("address" in flag.says for flag in flags)
    assert not any(tag in flag.says or address.decode() in flag.says for flag in flags)


@pytest.mark.parametrize("dressed", [TAG, TAG.rstrip("="), TAG[1:], f"#{TAG}", f"({TAG})"])
def test_such_a_tag_goes_wherever_it_stands(dressed: str):
    text, flags = cleaned(f"Rust work.\nYour code is {dressed} by the way.")
    assert TAG.rstrip("=")[1:] not in text
    assert flags == (Flag("honeypot", "honeypot: a tag that gives away this machine's address was taken out"),)


@pytest.mark.parametrize(
    "sentence",
    [
        "Be sure to mention the words RALLY CLOWN CEREAL when applying to show you read the job post completely.",
        "Please start your proposal with the word “banana”, so that we know that you are no robot!",
        'Begin your application with the phrase "purple elephant".',
        "Please include the word Pineapple at the top of your proposal.",
        "Kindly write the code word 'Zebra' in the first line",
        "Please mention the word SPARKLE and tag ABC= when applying",
    ],
)
def test_other_tests_of_the_reader_go_and_are_flagged(sentence: str):
    text, flags = cleaned(f"We sell bread.\n{sentence}\nYou will build the shop.")
    assert text.replace("\n\n", "\n") == "We sell bread.\nYou will build the shop."
    assert len(flags) == 1
    assert flags[0].code == "honeypot"


@pytest.mark.parametrize(
    "text",
    [
        "Please include links to your past work in your proposal.",
        "Mention your rate and when you could start.",
        "You will write the password reset flow, start to finish.",
        "We use tags and words to sort tickets. The API key AIzaSyD4 is fake.",
        "Base64 such as SGVsbG8gd29ybGQgYWdhaW4= is fine.",
        "Wir suchen für München jemanden, der Straßenkarten zeichnet: 100 % remote möglich.",
    ],
)
def test_what_is_no_honeypot_stays_to_the_letter(text: str):
    assert cleaned(text) == (text, ())


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("weâ€™re hiring", "we\u2019re hiring"),
        ("US-based preferred â\u0080\u0093 Eastern", "US-based preferred \u2013 Eastern"),
        ("SÃ£o Paulo, MÃ©xico", "São Paulo, México"),
        ("Ã¢â‚¬â„¢s", "\u2019s"),
        ("ðŸš€ start", "🚀 start"),
        ("Größe über alles, café", "Größe über alles, café"),
        ("“quoted” – and €5", "“quoted” – and €5"),
    ],
)
def test_mojibake_is_repaired_and_nothing_else_is_touched(broken: str, whole: str):
    assert repaired(broken) == whole


def test_invisible_characters_go():
    assert lead(text="Pay\u200bPal \u202eltd\U000e0041.").text == "PayPal ltd."


# ---------------------------------------------------------------- links

LINKS = [
    ("https://www.upwork.com/jobs/Build-configurator_~01abcdef1234567890?utm_source=email&frkscc=x",
     "https://www.upwork.com/jobs/~01abcdef1234567890"),
    ("https://www.upwork.com/jobs/~022100070000365204895/?source=rss", "https://www.upwork.com/jobs/~022100070000365204895"),
    ("https://www.linkedin.com/comm/jobs/view/4457198691/?trackingId=a&midToken=secret",
     "https://www.linkedin.com/jobs/view/4457198691"),
    ("https://de.linkedin.com/jobs/view/python-developer-at-acme-4457198691?trk=x",
     "https://www.linkedin.com/jobs/view/4457198691"),
    ("https://www.linkedin.com/jobs/search/?currentJobId=4457198691&geoId=1",
     "https://www.linkedin.com/jobs/view/4457198691"),
    ("https://weworkremotely.com/remote-jobs/acme-dev?utm_campaign=x&ref=rss", "https://weworkremotely.com/remote-jobs/acme-dev"),
    ("HTTPS://Jobs.Example:443/A?b=2&a=1#top", "https://jobs.example/A?b=2&a=1"),
    ("https://jobs.example/#/jobs/17", "https://jobs.example/#/jobs/17"),
    ("ftp://jobs.example/1", ""), ("//jobs.example/1", ""), ("jobs.example/1", ""), ("https://", ""),
    ("https://a@b.example/", ""), ("https://jobs.example/\u202egpj", ""), ("https://[::1", ""), ("https://x.example:99999/", ""),
]  # fmt: skip


@pytest.mark.parametrize(("given", "clean"), LINKS)
def test_a_link_loses_what_follows_its_reader(given: str, clean: str):
    assert clean_url(given) == clean


def test_two_links_to_one_page_are_the_same_and_another_page_is_not():
    same = {
        "http://www.jobs.example/7/?b=2&a=1", "https://jobs.example/7?a=1&b=2&utm_medium=rss", "https://jobs.example/7?a=1&b=2#apply",
    }  # fmt: skip
    assert len({canonical_url(one) for one in same}) == 1
    assert canonical_url("https://jobs.example/8?a=1&b=2") not in {canonical_url(one) for one in same}


# ---------------------------------------------------------------- pay

PAYS = [
    ("$80-100/hr", 8000, 10000, "USD", "hour"),
    ("Hourly: $40.00 - $60.00", 4000, 6000, "USD", "hour"),
    ("Hourly: $40-$60 · Est. time: 1 to 3 months", 4000, 6000, "USD", "hour"),
    ("€600 per day", 60000, 60000, "EUR", "day"),
    ("600 € / Tag", 60000, 60000, "EUR", "day"),
    ("EUR 80/h", 8000, 8000, "EUR", "hour"),
    ("$90k - $120k", 9000000, 12000000, "USD", "year"),
    ("$80-100k", 8000000, 10000000, "USD", "year"),
    ("£45,000 a year", 4500000, 4500000, "GBP", "year"),
    ("Fixed-price: $1,500", 150000, 150000, "USD", "project"),
    ("Budget: 2.500 EUR", 250000, 250000, "EUR", "project"),
    ("¥8,000 an hour", 8000, 8000, "JPY", "hour"),
    ("CA$4,000 per month", 400000, 400000, "CAD", "month"),
    ("Pay is 70 to 90 USD an hour", 7000, 9000, "USD", "hour"),
    # Indian grouping and words
    ("Salary: ₹15,00,000 per annum", 150_000_000, 150_000_000, "INR", "year"),
    ("₹ 8,00,000 - ₹ 12,00,000 a year", 80_000_000, 120_000_000, "INR", "year"),
    ("12-18 LPA", 120_000_000, 180_000_000, "INR", "year"),
    ("CTC up to 15 lakhs", 150_000_000, 150_000_000, "INR", "year"),
    ("Rs. 20 lakh p.a.", 200_000_000, 200_000_000, "INR", "year"),
    ("INR 1.5 crore per year", 1_500_000_000, 1_500_000_000, "INR", "year"),
    ("₹1,200 per hour", 120_000, 120_000, "INR", "hour"),
    # ranges with two units
    ("Pay: $50/hr - $70/hr, remote", 5000, 7000, "USD", "hour"),
    ("$50 per hour – $70 per hour", 5000, 7000, "USD", "hour"),
    ("USD 50/hr to USD 70/hr", 5000, 7000, "USD", "hour"),
    ("50 €/Std. - 70 €/Std.", 5000, 7000, "EUR", "hour"),
    ("50 € bis 70 € pro Stunde", 5000, 7000, "EUR", "hour"),
    ("50 Euro/Stunde bis 70 Euro/Stunde", 5000, 7000, "EUR", "hour"),
    ("from €400 to €500 a day", 40_000, 50_000, "EUR", "day"),
    ("from 400 to 500 a day (EUR)", 40_000, 50_000, "EUR", "day"),
    ("between $40 and $60 per hour", 4000, 6000, "USD", "hour"),
    ("entre 40 € et 60 € de l'heure", 4000, 6000, "EUR", "hour"),
    ("de 40 € a 60 € la hora", 4000, 6000, "EUR", "hour"),
    ("da 40 € a 60 € all'ora", 4000, 6000, "EUR", "hour"),
    ("van 40 € tot 60 € per uur", 4000, 6000, "EUR", "hour"),
    ("od 100 zł do 120 zł za godzinę", 10_000, 12_000, "PLN", "hour"),
    ("de R$ 80 até R$ 100 por hora", 8000, 10_000, "BRL", "hour"),
    # words for a currency, a fixed price, and decimals left out
    ("95 Euro pro Stunde", 9500, 9500, "EUR", "hour"),
    ("300 euro al giorno", 30_000, 30_000, "EUR", "day"),
    ("80,- €", 8000, 8000, "EUR", "hour"),
    ("80,-- EUR/Std.", 8000, 8000, "EUR", "hour"),
    ("CHF 120.- pro Stunde", 12_000, 12_000, "CHF", "hour"),
    ("120 Franken pro Stunde", 12_000, 12_000, "CHF", "hour"),
    ("Festpreis 25.000 EUR, ca. 40 Tage", 2_500_000, 2_500_000, "EUR", "project"),
    ("Festpreis: 25.000 Euro, 8 Std. am Tag", 2_500_000, 2_500_000, "EUR", "project"),
    ("Pauschal 4.000 €", 400_000, 400_000, "EUR", "project"),
    ("Forfait de 3 000 €", 300_000, 300_000, "EUR", "project"),
    ("Presupuesto: 2.500 €", 250_000, 250_000, "EUR", "project"),
    ("Prezzo fisso 2.500 euro", 250_000, 250_000, "EUR", "project"),
    ("Vaste prijs: 2.500 euro", 250_000, 250_000, "EUR", "project"),
    ("Orçamento: 2.500 €", 250_000, 250_000, "EUR", "project"),
    ("Fixed price $5,000, 10 hours a week", 500_000, 500_000, "USD", "project"),
    ("Tagessatz 640 €", 64_000, 64_000, "EUR", "day"),
    ("Stundensatz: 85 EUR", 8500, 8500, "EUR", "hour"),
    ("TJM : 450 - 550 €", 45_000, 55_000, "EUR", "day"),
    ("uurtarief 85 euro", 8500, 8500, "EUR", "hour"),
    ("$50 - 3 months", 5000, 5000, "USD", "hour"),
]


@pytest.mark.parametrize(("text", "least", "most", "currency", "per"), PAYS)
def test_pay_in_words(text: str, least: int, most: int, currency: str, per: str):
    pay = Pay(least=Money(minor=least, currency=currency), most=Money(minor=most, currency=currency), per=per)
    assert pay_in(text) == pay


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hourly: $0.00 - $0.00",
        "we are 10-20 people",
        "founded 2019",
        "$166K spent",
        "$12M raised",
        "24/7",
        "v3.11",
        "We are 10 to 20 people and pay in EUR",
        "founded 2019 - 2024",
        "in the euro zone",
        "from 400 to 500 a day",
        "15,00,000 users",
        "a team of 3 a 5",
        "1" * 5_000,
        "1 " * 2_000,
    ],
)
def test_what_states_no_pay(text: str):
    assert pay_in(text) is None


@pytest.mark.parametrize(
    ("least", "most", "pay"),
    [
        (0, 0, None), (None, None, None), ("", "", None), ("x", "y", None), (-5, -1, None), (True, True, None),
        (0, 120000, (None, 12000000)), (90000, 0, (9000000, None)), ("120000", "90000", (9000000, 12000000)),
    ],
)  # fmt: skip
def test_pay_of_a_sources_fields_counts_nothing_as_not_stated(least: object, most: object, pay: object):
    found = pay_of(least, most, "USD", "year")
    bounds = found and (found.least and found.least.minor, found.most and found.most.minor)
    assert bounds == pay


def test_a_source_that_says_zero_knows_nothing_and_the_words_of_the_post_count():
    stated = Pay(least=Money(minor=5000, currency="USD"), most=Money(minor=5000, currency="USD"), per="hour")
    assert lead(pay_min=0, pay_max=0, text="Pay: $50/hr").pay == stated
    assert lead(pay_min=0, pay_max=0, text="Pay to be discussed.").pay is None
    assert lead(pay_min=60, currency="USD", per="hour", text="Pay: $50/hr").pay != stated


# ---------------------------------------------------------------- small fields


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Full-Time", "full-time"), ("full_time", "full-time"), (["Contract"], "contract"), ("1099", "contract"),
        ("Freelance", "freelance"), ("part time", "part-time"), ("", ""), (None, ""), ("internship", ""), (7, ""),
    ],
)  # fmt: skip
def test_engagement(value: object, expected: str):
    assert engagement(value) == expected


def test_engagement_is_read_from_the_title_where_the_source_is_silent():
    assert engagement("", "Python developer (Contract)") == "contract"
    assert engagement("Full-Time", "Python developer (Contract)") == "full-time"
    assert engagement("", "Contracts lawyer") == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1780492075, datetime(2026, 6, 3, 13, 7, 55, tzinfo=UTC)), ("1780492075", datetime(2026, 6, 3, 13, 7, 55, tzinfo=UTC)),
        (1780492075000, datetime(2026, 6, 3, 13, 7, 55, tzinfo=UTC)),
        ("2026-06-03T13:07:55+02:00", datetime(2026, 6, 3, 11, 7, 55, tzinfo=UTC)),
        ("2026-06-03T13:07:55Z", datetime(2026, 6, 3, 13, 7, 55, tzinfo=UTC)),
        ("2026-06-03 13:07:55 UTC", datetime(2026, 6, 3, 13, 7, 55, tzinfo=UTC)),
        ("2026-06-03T13:07:55", datetime(2026, 6, 3, 13, 7, 55, tzinfo=UTC)), ("2026-06-03", datetime(2026, 6, 3, tzinfo=UTC)),
        ("Wed, 03 Jun 2026 13:07:55 +0000", datetime(2026, 6, 3, 13, 7, 55, tzinfo=UTC)),
        ("yesterday", None), ("", None), (None, None), (0, None), ("0001-01-01", None), (True, None),
    ],
)  # fmt: skip
def test_times_as_sources_write_them(value: object, expected: datetime | None):
    assert moment(value) == expected


def test_a_post_from_the_future_has_no_date():
    assert lead(published="2027-01-01").published is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Write to jobs@acme.example.", "jobs@acme.example"),
        ("Write to jane [at] acme [dot] example", "jane@acme.example"),
        ("Jane (at) Acme (dot) example", "jane@acme.example"),
        ("Questions: privacy@acme.example. Apply: Hire@Acme.example", "hire@acme.example"),
        ("no-reply@acme.example", ""), ("x@upwork.com", ""), ("nobody", ""), ("a@b", ""),
    ],
)  # fmt: skip
def test_the_address_a_bid_may_go_to(text: str, address: str):
    assert lead(text=text).contact.email == address


def test_a_marketplace_that_gives_no_address_has_none_whatever_the_text_says():
    assert lead(text="Write to jobs@acme.example", contact="").contact.email == ""


def test_the_posts_own_questions_are_found_and_its_headings_are_not():
    text = """Who are we?
We make bread. Sounds fun?
Why join us?
Please answer these questions:
1. How many shops have you built?
2) Which payment providers do you know?
- What would be the first step?

What we offer?
Have you worked with Shopify before? If so, where?
"""
    assert questions_in(text) == (
        "How many shops have you built?",
        "Which payment providers do you know?",
        "What would be the first step?",
        "Have you worked with Shopify before?",
        "If so, where?",
    )


# ---------------------------------------------------------------- one job or two

LONG = (
    "We need a payment page for our bakery with Stripe and a small admin area where orders are printed each morning. "
)
LONG += "You know Django well, write tests, and can start within two weeks from now, at least twenty hours every week."


def test_the_same_job_in_two_sources_is_one():
    here = lead(company="Acme GmbH", text=LONG)
    there = lead(
        id="acme-9", url="https://other.example/acme-9", company="ACME", title="Django Developer (Remote, m/w/d)",
        text=LONG.replace("Django well", "Django very well") + " Apply now!",
    )  # fmt: skip
    assert same_job(here, there)
    assert same_job(there, here)
    assert key_of(here) != key_of(there)


@pytest.mark.parametrize(
    "changes",
    [
        {"company": "Globex"},
        {"title": "Django developer, senior"},
        {"text": "Something else entirely: our museum wants an archive of forty thousand photographs made searchable by "
                 "colour and year, in Drupal, with a volunteer portal and printed labels for each of the many boxes."},
        {"company": "", "text": "short"},
    ],
)  # fmt: skip
def test_what_differs_is_another_job(changes: dict[str, object]):
    here = lead(company="Acme GmbH", text=LONG)
    there = lead(**({"id": "9", "url": "https://other.example/9", "company": "Acme", "text": LONG} | changes))
    assert not same_job(here, there)
    assert not same_job(there, here)


def test_a_cut_off_text_is_the_same_job_when_company_and_title_are():
    here = lead(company="Acme", text=LONG)
    assert same_job(here, lead(id="o", url="https://o.example/1", company="Acme", text=LONG[:60] + "..."))
    assert same_job(here, lead(id="o", url="https://o.example/1", company="", text=LONG))


def test_the_same_page_is_the_same_job_whatever_it_says():
    other = lead(id="o", title="Another title", url="http://www.jobs.example/7/?utm_source=x")
    assert same_job(lead(), replace(other, source="other"))
    assert not same_job(lead(), other), "a source that gives two posts one page has a page of many jobs"
    assert key_of(lead()) == key_of(lead(id="8", url="https://jobs.example/7#apply"))
    assert key_of(lead(url="")) != key_of(lead(url="", id="8"))


def test_names_for_comparing():
    assert company_of(lead(company="Acme Robotics GmbH & Co. KG")) == "acme robotics"
    assert company_of(lead(company="Inc")) == "inc"
    assert title_of(lead(title="C++ Developer (m/w/d) – 100% remote")) == "c++ developer"
