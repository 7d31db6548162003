"""Milestones at risk: every number checked by hand."""

from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from workflows.models.people import Owner
from workflows.models.work import Milestone, Project, Work
from workflows.rules.work.milestones import Free, account, free_until, hours, loads, risks, subject

ADA = Owner(name="Ada", address="ada@winter.example", country="DE", hours="Mon-Fri 09:00-17:00")
MONDAY = date(2026, 11, 23)
HOUR = 60


def project(name: str, *milestones: Milestone) -> Project:
    return Project(id=name.lower(), name=name, email="maria@studio.example", milestones=milestones)


def work(minutes: int, milestone: str = "", number: int = 1) -> Work:
    return Work(
        id=f"time:{number:012x}", project="p", day=date(2026, 11, 20), text="x", minutes=minutes, milestone=milestone
    )


def milestone(name: str, due: date | None, estimate: int, *, done: bool = False) -> Milestone:
    return Milestone(name=name, due=due, estimate_minutes=estimate * HOUR, done=done)


LAUNCH = milestone("Launch", date(2026, 11, 27), 60)


def test_free_hours_are_working_days_until_the_day_itself() -> None:
    assert free_until(date(2026, 11, 27), MONDAY, ADA) == Free(days=5, minutes=40 * HOUR)
    assert free_until(MONDAY, MONDAY, ADA) == Free(days=1, minutes=8 * HOUR)
    assert free_until(date(2026, 11, 29), MONDAY, ADA) == Free(days=5, minutes=40 * HOUR)
    assert free_until(date(2026, 11, 20), MONDAY, ADA) == Free(days=0, minutes=0)


def test_holidays_are_left_out_and_the_owners_hours_for_projects_count() -> None:
    christmas = free_until(date(2026, 12, 25), date(2026, 12, 21), ADA)  # Friday 25 Dec is a holiday
    assert christmas == Free(days=4, minutes=32 * HOUR)
    assert free_until(date(2026, 11, 27), MONDAY, ADA, 30) == Free(days=5, minutes=30 * HOUR)


def test_a_milestone_that_fits_is_no_risk() -> None:
    every = loads(project("A", LAUNCH), [work(20 * HOUR)])
    assert risks(every, MONDAY, ADA) == ()


def test_more_left_than_hours_is_a_risk_days_before() -> None:
    (risk,) = risks(loads(project("A", LAUNCH), [work(12 * HOUR)]), MONDAY, ADA)
    assert (risk.kind, risk.load.left, risk.free.minutes, risk.short) == ("short", 48 * HOUR, 40 * HOUR, 8 * HOUR)
    assert risk.days_short == 1


def test_what_other_projects_need_before_that_day_counts_and_what_is_later_does_not() -> None:
    first = loads(project("A", LAUNCH), [work(30 * HOUR)])  # 30 h left of 40 h
    earlier = loads(project("B", milestone("Beta", date(2026, 11, 25), 12)), [])
    later = loads(project("C", milestone("Later", date(2026, 11, 30), 100)), [])
    done = loads(project("D", milestone("Done", date(2026, 11, 24), 100, done=True)), [])
    found = risks((*first, *earlier, *later, *done), MONDAY, ADA)
    assert [(risk.load.milestone.name, risk.short) for risk in found] == [
        ("Launch", (30 + 12 - 40) * HOUR),
        ("Later", (100 + 30 + 12 - 48) * HOUR),
    ]
    assert [other.milestone.name for other in found[0].others] == ["Beta"]


def test_an_overdue_milestone_still_takes_time_and_is_said() -> None:
    late = loads(project("B", milestone("Beta", date(2026, 11, 20), 15)), [])
    found = risks((*late, *loads(project("A", LAUNCH), [work(30 * HOUR)])), MONDAY, ADA)
    assert [(risk.kind, risk.load.milestone.name) for risk in found] == [("overdue", "Beta"), ("short", "Launch")]


def test_an_estimate_used_up_is_said_and_one_without_estimate_is_not() -> None:
    used = loads(project("A", LAUNCH), [work(61 * HOUR)])
    unknown = loads(project("B", milestone("Open", date(2026, 11, 27), 0)), [])
    undated = loads(project("C", milestone("Some day", None, 1000)), [])
    assert [risk.kind for risk in risks((*used, *unknown, *undated), MONDAY, ADA)] == ["used-up"]


def test_work_counts_for_the_milestone_it_names_and_else_in_the_order_of_days() -> None:
    two = project(
        "A", milestone("Launch", date(2026, 12, 18), 40), milestone("Design", date(2026, 11, 13), 10, done=True)
    )
    found = loads(two, [work(5 * HOUR, "launch"), work(12 * HOUR), work(1 * HOUR, "unknown")])
    assert [(load.milestone.name, load.logged) for load in found] == [("Design", 10 * HOUR), ("Launch", 8 * HOUR)]
    assert [load.left for load in found] == [0, 32 * HOUR]


@given(st.lists(st.integers(0, 5000), max_size=6), st.lists(st.integers(0, 50), min_size=1, max_size=4))
def test_no_logged_minute_is_lost(minutes: list[int], estimates: list[int]) -> None:
    several = project("A", *(milestone(f"M{at}", MONDAY, estimate) for at, estimate in enumerate(estimates)))
    found = loads(several, [work(one, number=at) for at, one in enumerate(minutes)])
    assert sum(load.logged for load in found) == sum(minutes)


def test_the_notice_can_be_added_up_by_hand() -> None:
    beta = loads(project("Shop", milestone("Beta", date(2026, 11, 25), 12)), [])
    found = risks((*beta, *loads(project("Site", LAUNCH), [work(30 * HOUR + 30)])), MONDAY, ADA)
    assert subject(found[0]) == "Milestone at risk: Launch (Site), due 27 Nov 2026"
    assert account(found[0], MONDAY) == (
        "Launch of Site is due 27 Nov 2026.\n"
        "\n"
        "Estimated: 60 h\n"
        "Logged until 23 Nov 2026: 30 h 30 min\n"
        "Left: 29 h 30 min\n"
        "Your hours until then: 40 h (5 working days of 8 h, from today to 27 Nov 2026)\n"
        "Due before or with it: 12 h for Beta (Shop, 25 Nov 2026: 12 h less 0 h)\n"
        "Missing: 29 h 30 min + 12 h - 40 h = 1 h 30 min\n"
        "\n"
        "The client has been told nothing. You may move the day, cut the scope, or make room; then change the "
        "project's file.\n"
    )


def test_the_page_shows_a_notice_as_it_is_sent() -> None:
    beta = loads(project("Shop", milestone("Beta", date(2026, 11, 25), 12)), [])
    found = risks((*beta, *loads(project("Website relaunch", LAUNCH), [work(30 * HOUR + 30)])), MONDAY, ADA)
    page = (Path(__file__).parents[2] / "docs" / "status.md").read_text("utf-8")
    assert account(found[0], MONDAY).rpartition("\n\n")[0] in page


def test_hours_are_written_as_people_do() -> None:
    assert [hours(one) for one in (0, 45, 60, 750)] == ["0 h", "45 min", "1 h", "12 h 30 min"]
