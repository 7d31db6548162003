"""What a lead is worth: every factor both ways and missing, the total by hand, and the hard no's."""

import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workflows.models.leads import Factor, Flag, Lead, PastWork, Pay, Profile
from workflows.models.mail import Address
from workflows.models.money import Money
from workflows.models.routes import Ignore, Start
from workflows.rules.leads.factors import FACTORS
from workflows.rules.leads.rates import parse_rate, written
from workflows.rules.leads.scoring import THRESHOLD, score, total, verdict

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DATA = Path(__file__).parents[2] / "workflows" / "rules" / "leads" / "factors.toml"
PROFILE = Profile(
    rate=parse_rate("95 EUR/hour"),
    minimum=parse_rate("60 EUR/hour"),
    skills=("Python", "Postgres", "Django"),
    work=(PastWork(id="shop", title="Shop migration", skills=("Django",)),),
    hours_per_week=20,
    languages=("en", "de"),
    country="DE",
    timezone="Europe/Berlin",
    avoid=("gambling",),
    blocked=("Acme Corp",),
)
POST = Lead(
    source="wwr",
    id="1",
    title="Django developer for a museum's ticket shop",
    text=(
        "We run the ticket shop of a museum and need help to move it from PHP to Django and Postgres.\n"
        "- about 20 hours a week\n- for 3 months\n- you can work from anywhere in Europe\n"
        "Please tell us about two shops that you have built and when you could begin with the work."
    ),
    url="https://example.com/jobs/1",
    company="Studio Nord",
    published=NOW - timedelta(hours=3),
    skills=("Python", "Django"),
    engagement="Contract",
    pay=Pay(least=Money(minor=9000, currency="EUR"), most=Money(minor=11000, currency="EUR"), per="hour"),
    place="Europe",
    questions=("Which two shops have you built?", "When could you begin?"),
)


def of(name: str, lead: Lead, profile: Profile = PROFILE, **more: object) -> Factor:
    found = score(lead, profile, NOW, **more)  # type: ignore[arg-type]
    return next(factor for factor in found.factors if factor.name == name)


def without(**fields: object) -> Lead:
    return replace(POST, **fields)  # type: ignore[arg-type]


# ---------------------------------------------------------------- the total


def test_there_are_at_least_twelve_factors_each_with_its_weight() -> None:
    weights = tomllib.loads(DATA.read_text())["weights"]
    assert len(FACTORS) >= 12
    assert set(weights) == set(FACTORS)
    assert all(weight > 0 for weight in weights.values())
    assert all(judge.__doc__ and ("issing" in judge.__doc__) for judge in FACTORS.values())


def test_every_factor_stands_on_the_page_with_its_weight() -> None:
    page = (DATA.parents[3] / "docs" / "leads.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ", page, re.MULTILINE))
    assert listed == {name: f"{weight:g}" for name, weight in tomllib.loads(DATA.read_text())["weights"].items()}


def test_the_total_can_be_recomputed_by_hand_from_what_is_shown() -> None:
    for lead in (POST, Lead(source="x", id="1", title="", url="u"), without(text="WhatsApp me", pay=None)):
        found = score(lead, PROFILE, NOW)
        shown = [(float(f"{factor.value:.2f}"), float(f"{factor.weight:g}")) for factor in found.factors]
        by_hand = sum(value * weight for value, weight in shown) / sum(weight for _, weight in shown)
        assert found.total == pytest.approx(by_hand, abs=0.005)
        assert f"{found.total:.2f}" == f"{round(by_hand, 2):.2f}"


def test_a_good_post_is_bid_for_and_its_table_says_why() -> None:
    found = score(POST, PROFILE, NOW)
    assert found.total >= 0.8
    assert found.refused == ""
    assert isinstance(verdict(found), Start)
    assert all(factor.says for factor in found.factors)
    assert verdict(found).kind == "bid"  # type: ignore[union-attr]


def test_a_weak_post_is_left_with_the_reasons_that_weigh_most() -> None:
    weak = Lead(
        source="x", id="2", title="Need a guy", text="Very low budget for Python, message me on WhatsApp.", url="u"
    )
    found = score(weak, PROFILE, NOW)
    decided = verdict(found)
    assert isinstance(decided, Ignore)
    assert decided.rule == "score"
    assert "is below" in decided.reason
    assert "WhatsApp" in decided.reason


def test_the_threshold_is_what_is_given() -> None:
    found = score(POST, PROFILE, NOW)
    assert isinstance(verdict(replace(found, threshold=found.total)), Start)
    assert isinstance(verdict(replace(found, threshold=found.total + 0.01)), Ignore)
    assert found.threshold == THRESHOLD
    assert score(POST, PROFILE, NOW, threshold=0.9).threshold == 0.9


def test_no_factors_make_nothing() -> None:
    assert total(()) == 0.0


# ---------------------------------------------------------------- each factor: for, against, missing


CASES: dict[str, tuple[Lead, Lead, Lead | None]] = {
    "skills": (POST, without(skills=("Cobol", "RPG"), title="Cobol", text="An AS/400 in Cobol."), None),
    "rate": (POST, without(pay=Pay(most=Money(minor=3000, currency="EUR"), per="hour")), without(pay=None)),
    "budget": (POST, without(pay=Pay(most=Money(minor=10000, currency="EUR"))), without(pay=None)),
    "engagement": (POST, without(engagement="full-time"), without(engagement="")),
    "age": (POST, without(published=NOW - timedelta(days=20)), without(published=None)),
    "place": (POST, without(place="USA only"), without(place="", text="A shop.")),
    "language": (
        POST,
        without(text="Must speak fluent Japanese, it is for our team in the office and that is a must."),
        without(title="Django", text="Django, Postgres", place="", skills=()),
    ),
    "clarity": (POST, without(text="Need help"), without(text="")),
    "reachable": (without(contact=Address(email="jobs@nord.example")), without(url=""), None),
    "company": (POST, without(company=""), without(company="")),
    "red_flags": (POST, without(text=f"{POST.text} Please do an unpaid test project first."), None),
    "competition": (
        without(text="Be the first to bid."),
        without(text="20 to 50 proposals so far"),
        without(text="A shop."),
    ),
    "hours": (POST, without(text="We want 80 hours per week"), without(text="A shop.")),
    "duration": (without(text="This is ongoing work."), without(text="A one-off job."), without(text="A shop.")),
    "questions": (POST, without(questions=tuple(f"What about {n}?" for n in range(9))), without(questions=())),
}


@pytest.mark.parametrize("name", CASES)
def test_each_factor_knows_for_from_against(name: str) -> None:
    good, bad, _ = CASES[name]
    high, low = of(name, good), of(name, bad)
    assert high.value >= 0.9, high
    assert low.value <= 0.45, low
    assert not high.missing
    assert high.words or name == "red_flags"


@pytest.mark.parametrize("name", [name for name, (_, _, missing) in CASES.items() if missing])
def test_each_factor_says_when_it_cannot_tell(name: str) -> None:
    lead = CASES[name][2]
    assert lead
    found = of(name, lead)
    assert found.missing
    stated = FACTORS[name].__doc__ or ""
    assert f"{found.value:g}" in stated, f"{name} counts {found.value} when missing; its docstring says otherwise"


@pytest.mark.parametrize(
    ("timezone", "place", "value"),
    [
        ("Europe/Berlin", "Europe", 1.0),
        ("Europe/Berlin", "EU", 1.0),
        ("Europe/Berlin", "Germany", 0.5),
        ("Europe/Berlin", "USA Only", 0.0),
        ("America/New_York", "Americas", 1.0),
        ("America/New_York", "Europe", 0.0),
        ("UTC", "Europe", 0.6),
    ],
)
def test_without_a_country_the_time_zone_tells_the_continent(timezone: str, place: str, value: float) -> None:
    found = of("place", without(place=place), replace(PROFILE, country="", timezone=timezone))
    assert found.value == value
    assert place in found.says


def test_numbers_in_words_count_like_figures() -> None:
    assert of("hours", without(text="We think of twenty hours a week.")).value == 1.0
    assert of("hours", without(text="Wir denken an vierzig Stunden pro Woche.")).value == 0.5
    assert (
        of("duration", without(text="It is about eight weeks.")).value
        == of("duration", without(text="It is about 8 weeks.")).value
    )


def test_the_kind_of_work_among_the_skills_is_no_skill() -> None:
    assert of("skills", without(skills=("Python", "contract", "Remote", "Senior"))).value == 1.0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("You speak fluent German, and this is for our shop.", 0.0),
        ("Good German skills are needed for the work on our shop.", 0.0),
        ("We are a good German company and this is the shop that we have.", 1.0),
        ("The shop is in English and in German, and that is how it should stay.", 1.0),
        ("Fluent English is a must for the work on our shop.", 1.0),
        ("Wir suchen jemanden für die Arbeit an unserem Shop, und das ist alles.", 0.0),
    ],
)
def test_a_language_that_is_demanded_is_not_one_that_is_named(text: str, value: float) -> None:
    found = of("language", without(text=text, title="A shop", place=""), replace(PROFILE, languages=("en",)))
    assert found.value == value, found


def test_past_wins_speak_for_what_is_like_them() -> None:
    won = Lead(source="x", id="9", title="Django developer for a theatre's ticket shop", skills=("Python", "Django"))
    other = Lead(source="x", id="8", title="Logo for a bakery", skills=("Illustrator",))
    like = of("similar_wins", POST, wins=[other, won])
    assert like.value > 0.7
    assert "django" in like.words
    assert "theatre" not in f"{like.says} {like.words}"  # a word of another client's post
    assert of("similar_wins", POST, wins=[other]).value == 0.4
    assert of("similar_wins", POST) == replace(of("similar_wins", POST), missing=True, value=0.5)


@pytest.mark.parametrize(
    ("pay", "value"),
    [
        (Pay(most=Money(minor=9500, currency="EUR"), per="hour"), 1.0),
        (Pay(most=Money(minor=76000, currency="EUR"), per="day"), 1.0),  # 8 hours
        (Pay(most=Money(minor=1520000, currency="EUR"), per="month"), 1.0),  # 160 hours
        (Pay(most=Money(minor=17100000, currency="EUR"), per="year"), 1.0),  # 1,800 hours
        (Pay(most=Money(minor=7125, currency="EUR"), per="hour"), 0.5),  # three quarters of the rate
        (Pay(most=Money(minor=4750, currency="EUR"), per="hour"), 0.0),  # half
        (Pay(least=Money(minor=4750, currency="EUR"), most=Money(minor=9500, currency="EUR"), per="hour"), 0.5),
    ],
)
def test_pay_is_compared_by_the_hour(pay: Pay, value: float) -> None:
    assert of("rate", without(pay=pay, text="A shop.")).value == value


@pytest.mark.parametrize(
    "pay",
    [
        Pay(most=Money(minor=9500, currency="USD"), per="hour"),  # nobody knows tomorrow's exchange rate
        Pay(most=Money(minor=500000, currency="EUR")),  # a whole project, and nobody says how much work
        Pay(),
    ],
)
def test_what_cannot_be_compared_is_missing(pay: Pay) -> None:
    found = of("rate", without(pay=pay, text="A shop."))
    assert (found.missing, found.value) == (True, 0.5)


def test_a_projects_own_hours_make_it_comparable() -> None:
    pay = Pay(most=Money(minor=380000, currency="EUR"))
    assert of("rate", without(pay=pay, text="We think of 40 hours.")).value == 1.0
    assert of("rate", without(pay=pay, text="We think of 80 hours.")).value == 0.0
    assert of("rate", without(pay=pay, text="It is 40 hours a week.")).missing  # a week's hours are not the project's


@pytest.mark.parametrize(
    ("place", "text", "value"),
    [
        ("Germany", "", 1.0),
        ("DACH", "", 1.0),
        ("Anywhere in the World", "", 1.0),
        ("USA Only", "", 0.0),
        ("North America", "", 0.0),
        ("", "Candidates must be based in the United States.", 0.0),
        ("", "Our customers sit in Japan and Brazil. The work is remote.", 1.0),
        ("", "You work on-site in our office.", 0.2),
        ("", "The work is remote or on site.", 1.0),
        ("", "On-site or remote, as you like.", 1.0),
        ("Remote or on site", "", 1.0),
        ("Remote / On-site", "", 1.0),
        ("Hybrid or remote", "", 1.0),
        ("", "Arbeit remote oder vor Ort.", 1.0),
        ("", "Vor Ort oder im Homeoffice.", 1.0),
        ("", "Télétravail ou sur place.", 1.0),
        ("", "Presencial o remoto.", 1.0),
        ("", "Remoto ou presencial.", 1.0),
        ("", "On site is optional.", 1.0),
        ("Berlin, Germany (on-site, remote possible)", "", 1.0),
        ("Berlin, Germany (on-site)", "", 0.6),
        ("", "Hybrid: three days on site, two remote.", 0.2),
        ("", "On site, no remote.", 0.2),
        ("", "No remote, on site only.", 0.2),
    ],
)
def test_places(place: str, text: str, value: float) -> None:
    assert of("place", without(place=place, text=text, title="A job")).value == value


@pytest.mark.parametrize(
    ("offered", "wanted", "alike"),
    [
        ("Postgres", "PostgreSQL", True),
        ("React", "React.js", True),
        ("C", "C++", False),
        ("C", "CSS", False),
        ("Java", "JavaScript", False),
        ("Go", "Google Ads", False),
        ("python", "Python 3", True),
        ("Node.js", "node", True),
    ],
)
def test_skills_are_matched_by_name_and_not_by_letters(offered: str, wanted: str, alike: bool) -> None:
    lead = Lead(source="x", id="1", title="A job", text="Something else.", skills=(wanted,), url="u")
    assert (of("skills", lead, replace(PROFILE, skills=(offered,))).value > 0.5) is alike


@pytest.mark.parametrize(
    "text",
    [
        "You will do an unpaid test task first.",
        "It is good for your portfolio.",
        "This is commission only.",
        "Contact me on Telegram.",
        "There is a refundable deposit of 50 USD.",
        "We want unlimited revisions.",
        "Lowest bid wins.",
        "Wir bieten Probearbeiten an.",
    ],
)
def test_red_flags_are_seen_and_quoted(text: str) -> None:
    found = of("red_flags", without(text=text))
    assert found.value <= 0.7
    assert found.words
    assert all(word in text.lower() for word in found.words)
    assert found.says.startswith("Caution")


# ---------------------------------------------------------------- hard no's


@pytest.mark.parametrize(
    ("lead", "says"),
    [
        (without(expires_at=NOW - timedelta(minutes=1)), "expired"),
        (without(published=NOW - timedelta(days=60)), "more than 45 days"),
        (without(company="ACME corp"), "list of companies"),
        (without(engagement="full_time"), "full-time"),
        (without(engagement="", title="Full-time Django developer"), "full-time"),
        (without(text="We build a gambling site."), "gambling"),
        (without(pay=Pay(most=Money(minor=2000, currency="EUR"), per="hour")), "minimum"),
        (without(url="", contact=Address(email="")), "neither a link nor an address"),
        (without(text="An unpaid test task first, then write to me on Telegram."), '"unpaid test"'),
    ],
)
def test_a_hard_no_refuses_whatever_the_total(lead: Lead, says: str) -> None:
    found = score(lead, PROFILE, NOW)
    assert says in found.refused
    decided = verdict(replace(found, total=1.0))
    assert isinstance(decided, Ignore)
    assert decided == Ignore(rule="refused", reason=found.refused)


@pytest.mark.parametrize(
    "lead",
    [
        POST,
        without(engagement="", text="This is not a full-time job."),
        without(engagement="", text="Full-time or contract, as you like."),
        without(company="Acme Corporation"),
        without(expires_at=NOW + timedelta(days=1)),
        without(pay=Pay(most=Money(minor=2000, currency="USD"), per="hour")),
        without(skills=("Cobol",), title="A job", text="Some Cobol, and a little Django."),
        without(pay=Pay(least=Money(minor=2000, currency="EUR"), most=Money(minor=7000, currency="EUR"), per="hour")),
        without(text="No gamblingsites."),
        without(text="We want a Django shop that sells gift cards."),
    ],
)
def test_what_only_looks_like_a_hard_no_is_none(lead: Lead) -> None:
    assert score(lead, PROFILE, NOW).refused == ""


def test_full_time_is_welcome_to_who_wants_it() -> None:
    wants = replace(PROFILE, engagements=("full-time", "contract"))
    found = score(without(engagement="full-time"), wants, NOW)
    assert found.refused == ""
    assert of("engagement", without(engagement="full-time"), wants).value == 1.0


# ---------------------------------------------------------------- total: any lead, any profile


MONEY = st.builds(
    Money, minor=st.integers(-(10**12), 10**18), currency=st.sampled_from(["EUR", "USD", "JPY", "???", ""])
)
PAY = st.builds(
    Pay,
    least=st.none() | MONEY,
    most=st.none() | MONEY,
    per=st.sampled_from(["hour", "day", "week", "month", "year", "project"]),
)
TIMES = st.none() | st.datetimes(timezones=st.none() | st.just(UTC))
WORDS = st.lists(st.text(max_size=40), max_size=5).map(tuple)
LEADS = st.builds(
    Lead,
    source=st.text(max_size=10),
    id=st.text(max_size=10),
    title=st.text(max_size=200),
    text=st.text(max_size=2000)
    | st.sampled_from(
        ["0 hours a week", "0 proposals", "0 hours", "9999 years", "\x00\ud800", "(" * 500, POST.text * 30]
    ),
    url=st.text(max_size=30),
    company=st.text(max_size=30),
    contact=st.builds(Address, email=st.text(max_size=20)),
    published=TIMES,
    expires_at=TIMES,
    skills=WORDS,
    engagement=st.text(max_size=20),
    pay=st.none() | PAY,
    place=st.text(max_size=40),
    questions=WORDS,
    flags=st.lists(st.builds(Flag, st.sampled_from(["honeypot", "unverified", "noted"]), st.text(max_size=30))).map(
        tuple
    ),
)
PROFILES = st.builds(
    Profile,
    rate=st.none() | PAY,
    minimum=st.none() | PAY,
    skills=WORDS,
    hours_per_week=st.integers(-5, 200),
    languages=WORDS,
    engagements=WORDS,
    avoid=WORDS,
    blocked=WORDS,
    country=st.text(max_size=2),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LEADS, PROFILES, st.datetimes(timezones=st.just(UTC)), st.lists(LEADS, max_size=2))
def test_every_lead_has_a_score(lead: Lead, profile: Profile, now: datetime, wins: list[Lead]) -> None:
    found = score(lead, profile, now, wins=wins)
    assert 0.0 <= found.total <= 1.0
    assert all(0.0 <= factor.value <= 1.0 for factor in found.factors)
    assert [factor.name for factor in found.factors] == list(FACTORS)
    assert total(found.factors) == found.total
    assert verdict(found).reason


def test_a_huge_post_costs_no_time() -> None:
    import time

    began = time.process_time()
    score(without(text="full time hours 20 to 30 " * 100_000, title="x" * 10**6), PROFILE, NOW)
    assert time.process_time() - began < 2


# ---------------------------------------------------------------- rates


@pytest.mark.parametrize(
    ("text", "per", "minor", "currency"),
    [
        ("95 EUR/hour", "hour", 9500, "EUR"),
        ("€ 800 per day", "day", 80000, "EUR"),
        ("1.200,50 EUR/Tag", "day", 120050, "EUR"),
        ("800 EUR pro Tag", "day", 80000, "EUR"),
        ("CHF 120/hr", "hour", 12000, "CHF"),
        ("12000 JPY/hour", "hour", 12000, "JPY"),
        ("95 EUR", "hour", 9500, "EUR"),
    ],
)
def test_a_rate_is_read_as_written(text: str, per: str, minor: int, currency: str) -> None:
    money = Money(minor=minor, currency=currency)
    assert parse_rate(text) == Pay(least=money, most=money, per=per)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "95", "cheap", "95 EUR/fortnight", "95,000 EUR/year", "0 EUR", "x" * 5000, "/"])
def test_what_is_no_rate_is_none(text: str) -> None:
    assert parse_rate(text) is None


def test_amounts_are_written_as_people_write_them() -> None:
    assert written(Money(minor=125000, currency="EUR")) == "1,250 EUR"
    assert written(Money(minor=125050, currency="EUR"), "de") == "1.250,50 EUR"
    assert written(Money(minor=12000, currency="JPY")) == "12,000 JPY"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("It is about three months of work.", "It lasts three months"),
        ("Dauer: fünf Monate.", "It lasts fünf monate"),
        ("A 6-month contract.", "It lasts 6-month"),
        ("You have 5 years of experience.", "How long it lasts is not said"),
        ("Three years experience with Django.", "How long it lasts is not said"),
    ],
)
def test_how_long_it_lasts_is_read_in_figures_and_in_words(text: str, says: str):
    found = {factor.name: factor for factor in score(without(text=text), PROFILE, NOW).factors}
    assert found["duration"].says == says


@pytest.mark.parametrize(
    ("title", "skills"),
    [("Rust Engineer for payments", ("Rust", "Kafka")), ("Translate a cook book", ()), ("WordPress theme", ("PHP",))],
)
def test_work_the_owner_does_not_do_is_not_bid_for_however_nice_it_is(title: str, skills: tuple[str, ...]) -> None:
    lead = without(title=title, skills=skills, text=POST.text.replace("Django and Postgres", "something"), pay=None)
    found = score(lead, PROFILE, NOW)
    assert of("skills", lead).value == 0.0
    assert verdict(found) == Ignore(rule="refused", reason="It asks for none of the skills in your profile.")
    assert score(lead, replace(PROFILE, skills=()), NOW).refused == ""  # a profile without skills cannot tell
