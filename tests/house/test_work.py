"""What the look at projects, time and commits keeps, proposes and tells: the real parts, a clock that can be set."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from agents.update import TemplateUpdate
from memory.briefs.updates import UpdateBriefs
from memory.record.documents import Document, keep
from memory.record.people import hold_proactive
from memory.record.schema import clients, risks, transaction
from tests.house.running import House
from tests.ledgers import House as LedgerHouse
from tests.ledgers import StillClock
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tests.tools.test_gitlog import Repository
from tools.mail import mime
from workers.service import wiring
from workers.settings import loading
from workers.sources.work import NAME
from workflows.errors import NeedsOwner
from workflows.models.case import CaseState
from workflows.models.people import Owner
from workflows.models.routes import Event
from workflows.models.work import Project, Work
from workflows.rules.work import rhythm

MONDAY = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)  # 09:30 in Berlin
PROJECT = 'name = "Relaunch"\nemail = "maria@studio.example"\nupdate_every = "weekly"\n'
HEADER = "date,project,description,hours,milestone\n"


class Desk:
    """The whole service's parts without its workflows."""

    def __init__(self, house: House, clock: StillClock) -> None:
        self.house, self.clock = house, clock
        self.parts = wiring.build(house.home, loading.load(house.home), clock)
        self.ledger = self.parts.ledger
        self.ledger.first_run()
        (self.watch,) = (watch for watch in self.parts.watches if watch.name == NAME)

    def write(self, name: str, text: str) -> Path:
        path = self.house.home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def log(self, *rows: str) -> None:
        self.write("timesheets/times.csv", HEADER + "".join(f"{row}\n" for row in rows))

    async def look(self) -> str:
        return await self.watch.run()

    def open_updates(self) -> list[CaseState]:
        return [state for state in self.ledger.open_cases() if state.kind == "update"]

    def news(self, case: int) -> list[Event]:
        return [event for event in self.ledger.undelivered() if event.case == case and event.kind == "news"]

    def end(self, state: CaseState, outcome: str) -> None:
        self.ledger.close_case(replace(state, stage="closed", outcome=outcome))

    def texts(self, state: CaseState) -> list[str]:
        return [piece.text for piece in self.ledger.report(state.case)[0].work]

    def notices(self) -> list[str]:
        """The subjects of what the owner was told."""
        return [mime.parse(mail.content).subject for mail in self.house.smtp.delivered]


@pytest.fixture
async def desk(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> AsyncIterator[Desk]:
    made = Desk(House(tmp_path / "home", mailbox, smtp_server, owner={"country": "DE"}), StillClock(MONDAY))
    made.write("projects/relaunch.toml", PROJECT)
    yield made
    await made.parts.aclose()


# ---------------------------------------------------------------- what is kept


async def test_a_home_without_projects_has_nothing_to_say(desk: Desk) -> None:
    (desk.house.home / "projects" / "relaunch.toml").unlink()
    assert await desk.look() == "no projects"


async def test_each_piece_is_kept_once_and_as_it_is_now(desk: Desk) -> None:
    desk.log("2026-11-24,Relaunch,Header,2,", "2026-11-24,Other,Nothing of ours,1,")
    assert (
        await desk.look() == "1 project, 1 piece of work: 1 new, 0 changed, 0 gone; 1 entry of no project here (Other)"
    )
    assert "0 new, 0 changed, 0 gone" in await desk.look()
    desk.log("2026-11-24,Relaunch,Header,2,", "2026-11-25,Relaunch,Footer,1,")
    assert "1 new, 0 changed, 0 gone" in await desk.look()
    desk.log("2026-11-25,Relaunch,Footer,1,")
    assert "0 new, 0 changed, 1 gone" in await desk.look()
    assert [(piece.text, piece.minutes) for piece in desk.ledger.work_of("relaunch")] == [("Footer", 60)]


async def test_the_same_entry_in_two_exports_is_one_and_the_newest_has_the_last_word(desk: Desk) -> None:

    header = (
        "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags\n"
    )
    for at, (name, text) in enumerate((("b.csv", "Header"), ("a.csv", "Header and footer"))):
        row = f"Ada,a@w.example,,Relaunch,,{text},Yes,2026-11-24,09:00:00,,,01:00:00,\n"
        os.utime(desk.write(f"timesheets/{name}", f"{header}\n{row}"), (1000 + at, 1000 + at))
    await desk.look()
    assert [piece.text for piece in desk.ledger.work_of("relaunch")] == ["Header and footer"]


async def test_a_project_is_found_by_its_other_names_and_by_client_and_project(desk: Desk) -> None:
    desk.write("projects/relaunch.toml", PROJECT + 'tracked_as = ["Studio / Website", "WEB"]\n')
    header = "date,client,project,description,hours\n"
    rows = (
        "2026-11-24,Studio,Website,One,1\n"
        "2026-11-24,Bob,Website,Two,1\n"
        "2026-11-24,,web,Three,1\n"
        "2026-11-24,,relaunch,Four,1\n"
    )
    desk.write("timesheets/times.csv", header + rows)
    assert "1 entry of no project here (Website)" in await desk.look()
    assert sorted(piece.text for piece in desk.ledger.work_of("relaunch")) == ["Four", "One", "Three"]


async def test_a_rebased_commit_stays_the_one_it_was(desk: Desk, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "site")
    desk.write("projects/relaunch.toml", f'{PROJECT}repositories = ["{repository.path}"]\n')
    at = "2026-11-24T10:00:00+00:00"
    repository.commit("Base", author=desk.house.owner.email, at="2026-11-20T10:00:00+00:00")
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit("Feature", author=desk.house.owner.email, at=at)
    await desk.look()
    before = desk.ledger.work_of("relaunch")
    repository.git("reset", "-q", "--hard", "main")
    repository.commit("Feature", author=desk.house.owner.email, at=at, committed="2026-11-25T10:00:00+00:00")
    assert "0 new, 0 changed, 0 gone" in await desk.look()
    assert desk.ledger.work_of("relaunch") == before
    assert [piece.text for piece in before] == ["Base", "Feature"]


async def test_a_repository_that_two_projects_name_tells_the_first(desk: Desk, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "site")
    repository.commit("Header", author=desk.house.owner.email, at="2026-11-20T10:00:00+00:00")
    line = f'repositories = ["{repository.path}"]\n'
    desk.write("projects/relaunch.toml", PROJECT + line)
    desk.write("projects/blog.toml", PROJECT.replace("Relaunch", "Blog") + line)
    assert "1 new, 0 changed" in await desk.look()
    assert "0 new, 0 changed" in await desk.look()
    assert [piece.text for piece in desk.ledger.work_of("blog")] == ["Header"]
    assert desk.ledger.work_of("relaunch") == ()


async def test_a_projects_file_by_another_name_tells_nothing_twice(desk: Desk, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "site")
    repository.commit("Header", author=desk.house.owner.email, at="2026-11-20T10:00:00+00:00")
    text = f'{PROJECT}repositories = ["{repository.path}"]\n'
    desk.write("projects/relaunch.toml", text)
    desk.log("2026-11-16,Relaunch,Footer,2,")
    await desk.look()
    (state,) = desk.open_updates()
    assert desk.texts(state) == ["Footer", "Header"]
    desk.end(state, "sent")
    (desk.house.home / "projects" / "relaunch.toml").rename(desk.house.home / "projects" / "site.toml")
    assert "0 new, 2 changed, 0 gone" in await desk.look()
    assert desk.open_updates() == []
    assert [piece.text for piece in desk.ledger.work_of("site")] == ["Footer", "Header"]


async def test_an_entry_that_moves_to_another_project_leaves_the_update_it_was_in(desk: Desk) -> None:
    desk.write(
        "projects/shop.toml", PROJECT.replace("Relaunch", "Shop").replace("maria", "bernd").replace("weekly", "")
    )
    header = "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags"
    for shop in ("Relaunch", "Shop"):
        rows = [f"Ada,a@w.example,,{name},,{text},Yes,2026-11-16,{at}:00:00,,,01:00:00,"
                for name, text, at in (("Relaunch", "Header", "09"), (shop, "Cart CANARY", "10"))]  # fmt: skip
        desk.write("timesheets/times.csv", "\n".join([header, *rows, ""]))
        await desk.look()
    (state,) = desk.open_updates()
    assert desk.texts(state) == ["Header"]
    assert [event.summary for event in desk.news(state.case)] == ["What was logged for it changed."]


async def test_one_client_by_address_and_a_project_whose_file_is_gone_rests(desk: Desk) -> None:
    desk.write("projects/blog.toml", 'name = "Blog"\nemail = "Maria@Studio.example"\ncontact = "Maria Alvarez"\n')
    await desk.look()
    one, two = desk.ledger.projects()
    assert one.client == two.client != ""
    assert desk.ledger.client(one.client).addresses == ("maria@studio.example",)
    (desk.house.home / "projects" / "blog.toml").unlink()
    await desk.look()
    assert [project.id for project in desk.ledger.projects_of(one.client)] == ["relaunch"]


async def test_a_typo_keeps_the_project_as_it_was_and_all_faults_come_together(desk: Desk) -> None:
    desk.log("2026-11-24,Relaunch,Header,2,")
    await desk.look()
    desk.write("projects/relaunch.toml", PROJECT + 'scop = ["x"]\n')
    desk.write("projects/shop.toml", 'name = "Shop"\nemail = "b@shop.example"\nrepositories = ["nowhere"]\n')
    desk.write("timesheets/bad.csv", "what,is,this\n1,2,3\n")
    desk.log("2026-11-24,Relaunch,Header,2,", "2026-11-25,Relaunch,Footer,1,")
    with pytest.raises(NeedsOwner) as error:
        await desk.look()
    said = str(error.value)
    assert 'relaunch.toml, line 4: scop is not known in a project\'s file. Did you mean "scope"?' in said
    assert "nowhere does not exist" in said
    assert 'bad.csv, line 1: this is no timesheet that is known; its columns are "what", "is", "this".' in said
    assert [piece.text for piece in desk.ledger.work_of("relaunch")] == ["Header", "Footer"]


async def test_an_export_that_cannot_be_read_takes_nothing_away(desk: Desk) -> None:
    desk.log("2026-11-24,Relaunch,Header,2,")
    await desk.look()
    desk.log("2026-11-24,Relaunch,Header,two hours,")
    with pytest.raises(NeedsOwner, match=r'times\.csv, line 2, column "hours": "two hours" is not a length of time'):
        await desk.look()
    assert [piece.text for piece in desk.ledger.work_of("relaunch")] == ["Header"]


# ---------------------------------------------------------------- what is proposed


async def test_the_week_that_ended_is_proposed_once_with_the_work_in_it(desk: Desk) -> None:
    desk.log(
        "2026-11-15,Relaunch,The week before,1,",
        "2026-11-16,Relaunch,Header,2,",
        "2026-11-22,Relaunch,Footer,1,",
        "2026-11-23,Relaunch,Today,1,",
    )
    assert (await desk.look()).endswith("relaunch 2026-W47: case 1")
    (state,) = desk.open_updates()
    report, project = desk.ledger.report(state.case)
    assert (report.since, report.until, report.minutes) == (date(2026, 11, 16), date(2026, 11, 22), 180)
    assert [piece.text for piece in report.work] == ["Header", "Footer"]
    assert project.client == state.client
    assert "case" not in await desk.look()
    assert len(desk.open_updates()) == 1


@pytest.mark.parametrize(
    ("when", "begun"),
    [
        (MONDAY - timedelta(hours=3), False),  # 06:30: before work.updates_at
        (MONDAY - timedelta(days=1), False),  # Sunday: last week's update was not due before it ended
        (MONDAY + timedelta(days=2), True),
        (MONDAY + timedelta(days=5), False),  # Saturday
    ],
)
async def test_it_is_proposed_on_a_working_day_from_the_set_time_on(desk: Desk, when: datetime, begun: bool) -> None:
    desk.clock.time = when
    desk.log("2026-11-16,Relaunch,Header,2,")
    await desk.look()
    assert bool(desk.open_updates()) is begun


async def test_nothing_logged_nothing_proposed(desk: Desk) -> None:
    desk.log("2026-11-23,Relaunch,Of this week,2,")
    assert "case" not in await desk.look()
    assert desk.open_updates() == []


async def test_work_logged_late_comes_with_the_next_update_and_nothing_twice(desk: Desk) -> None:
    desk.log("2026-11-16,Relaunch,Header,2,")
    await desk.look()
    (first,) = desk.open_updates()
    desk.end(first, "sent")
    desk.log("2026-11-16,Relaunch,Header,2,", "2026-11-20,Relaunch,Late,1,", "2026-11-24,Relaunch,Footer,1,")
    assert "case" not in await desk.look()
    desk.clock.time = MONDAY + timedelta(days=7)
    await desk.look()
    (second,) = desk.open_updates()
    report, _ = desk.ledger.report(second.case)
    assert [piece.text for piece in report.work] == ["Late", "Footer"]
    assert report.since == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [("sent", True), ("rejected", True), ("mine", True), ("expired", False), ("stopped", False), ("failed", False)],
)
async def test_what_no_client_heard_stands_in_the_next_update(desk: Desk, outcome: str, told: bool) -> None:
    desk.log("2026-11-16,Relaunch,Header,2,", "2026-11-24,Relaunch,Footer,1,")
    await desk.look()
    (first,) = desk.open_updates()
    desk.end(first, outcome)
    desk.clock.time = MONDAY + timedelta(days=7)
    await desk.look()
    (second,) = desk.open_updates()
    assert desk.texts(second) == (["Footer"] if told else ["Header", "Footer"])
    assert desk.ledger.report(second.case)[0].since == date(2026, 11, 23 if told else 16)


async def test_three_weeks_down_are_one_update(desk: Desk) -> None:
    await desk.look()
    desk.clock.time = MONDAY + timedelta(days=23)
    desk.log("2026-11-24,Relaunch,One,1,", "2026-12-02,Relaunch,Two,1,", "2026-12-09,Relaunch,Three,1,")
    await desk.look()
    (state,) = desk.open_updates()
    report, _ = desk.ledger.report(state.case)
    assert [piece.text for piece in report.work] == ["One", "Two", "Three"]
    assert (report.since, report.until) == (date(2026, 11, 23), date(2026, 12, 13))


async def test_one_update_to_a_client_at_a_time(desk: Desk) -> None:
    desk.write("projects/blog.toml", PROJECT.replace("Relaunch", "Blog"))
    desk.write("projects/shop.toml", PROJECT.replace("Relaunch", "Shop").replace("maria", "bernd"))
    desk.log(*(f"2026-11-16,{name},Work on it,1," for name in ("Relaunch", "Blog", "Shop")))
    said = await desk.look()
    assert "blog 2026-W47: case 1; relaunch 2026-W47: another update to them waits; shop 2026-W47: case 2" in said
    desk.end(desk.open_updates()[0], "sent")
    assert "relaunch 2026-W47: case 3" in await desk.look()


async def test_who_complained_is_paused_or_wants_none_is_proposed_nothing(desk: Desk) -> None:
    desk.log("2026-11-16,Relaunch,Header,2,")
    desk.clock.time = MONDAY - timedelta(days=1)
    await desk.look()
    desk.clock.time = MONDAY
    (project,) = desk.ledger.projects()
    with transaction(desk.parts.engine) as connection:
        hold_proactive(connection, project.client, "a complaint")
    assert "relaunch 2026-W47: held because of a complaint" in await desk.look()
    with transaction(desk.parts.engine) as connection:
        hold_proactive(connection, project.client, "")
    with transaction(desk.parts.engine) as connection:
        connection.execute(update(clients).where(clients.c.id == project.client).values(paused_at=desk.clock.time))
    assert "relaunch 2026-W47: you want nothing sent to them" in await desk.look()
    with transaction(desk.parts.engine) as connection:
        connection.execute(update(clients).where(clients.c.id == project.client).values(paused_at=None))
    desk.ledger.set_never(project.client)
    assert "relaunch 2026-W47: you want nothing sent to them" in await desk.look()
    assert desk.open_updates() == []


@pytest.mark.parametrize("share", [False, True])
async def test_a_brief_holds_its_own_clients_work_and_no_milestone(desk: Desk, share: bool) -> None:
    desk.write("projects/relaunch.toml", PROJECT + MILESTONE.format(hours=1))
    desk.write("projects/shop.toml", PROJECT.replace("Relaunch", "Shop").replace("maria", "bernd"))
    desk.log("2026-11-16,Relaunch,Header CANARYONE,2,Launch", "2026-11-16,Shop,Cart CANARYTWO,1,")
    await desk.look()
    briefs = UpdateBriefs(desk.ledger, desk.parts.owner, share_hours=share)
    for state, own, others in zip(desk.open_updates(), ("ONE", "TWO"), ("TWO", "ONE"), strict=True):
        brief = briefs.build(state)
        assert f"CANARY{own}" in brief.message
        assert f"CANARY{others}" not in repr(brief)
        assert brief.envelope is not None
        assert brief.envelope.proactive
        assert [address.email for address in brief.envelope.to] == [brief.sender.email]
        assert [fact.id for fact in brief.facts] == [piece.id for piece in desk.ledger.report(state.case)[0].work]
        draft = TemplateUpdate().letter(brief)
        assert f"CANARY{own}" in draft.body
        assert "Launch" not in draft.body
        assert ("Time spent" in draft.body) is share


@pytest.mark.parametrize(
    ("project", "wrote", "expected"),
    [
        ('language = "fr"\n', "Hello Ada, could you please call me about the new header?", "fr"),
        ("", "Guten Tag Frau Winter, könnten Sie mich bitte wegen der Seite anrufen?", "de"),
        ("", "", "en"),
    ],
)
async def test_an_update_speaks_the_clients_language(desk: Desk, project: str, wrote: str, expected: str) -> None:
    desk.write("projects/relaunch.toml", PROJECT + project)
    desk.log("2026-11-16,Relaunch,Header,2,")
    await desk.look()
    (state,) = desk.open_updates()
    if wrote:
        with transaction(desk.parts.engine) as connection:
            keep(connection, Document(id="mail:x", client=state.client, kind="received", text=wrote, at=MONDAY))
    brief = UpdateBriefs(desk.ledger, desk.parts.owner).build(state)
    subjects = {
        "fr": "Relaunch : point d'avancement, semaine 47",
        "de": "Relaunch: Stand der Dinge, KW 47",
        "en": "Relaunch: status, week 47",
    }
    assert (brief.language, brief.subject) == (expected, subjects[expected])


@pytest.mark.parametrize(("unbilled", "told"), [(True, ["Header", "Call"]), (False, ["Header"])])
async def test_unbilled_work_is_told_unless_the_setting_says_no(desk: Desk, unbilled: bool, told: list[str]) -> None:
    desk.clock.time = MONDAY - timedelta(days=1)
    rows = "2026-11-16,Relaunch,Header,2,yes\n2026-11-17,Relaunch,Call,1,no\n"
    desk.write("timesheets/times.csv", f"date,project,description,hours,billable\n{rows}")
    await desk.look()
    desk.ledger.begin_updates(MONDAY.date(), desk.parts.owner, unbilled=unbilled)
    assert desk.texts(desk.open_updates()[0]) == told


async def test_what_lapsed_is_not_asked_about_again_alone(desk: Desk) -> None:
    desk.log("2026-11-16,Relaunch,Header,2,")
    await desk.look()
    desk.end(desk.open_updates()[0], "expired")
    desk.clock.move(days=7)
    await desk.look()
    assert desk.open_updates() == []
    desk.log("2026-11-16,Relaunch,Header,2,", "2026-12-01,Relaunch,Footer,1,")
    desk.clock.move(days=7)
    await desk.look()
    assert desk.texts(desk.open_updates()[0]) == ["Header", "Footer"]


async def test_an_entry_that_changes_or_goes_makes_the_draft_stale_and_all_gone_ends_it(desk: Desk) -> None:
    desk.log("2026-11-16,Relaunch,Header,2,", "2026-11-17,Relaunch,Footer,1,")
    await desk.look()
    (state,) = desk.open_updates()
    desk.log("2026-11-16,Relaunch,Header,3,", "2026-11-17,Relaunch,Footer,1,")
    await desk.look()
    assert [(event.summary, event.ends) for event in desk.news(state.case)] == [("What was logged for it changed.", "")]
    desk.log()
    await desk.look()
    assert desk.news(state.case)[-1].ends == "stopped"
    assert desk.news(state.case)[-1].summary == "Nothing is logged for it any more."


async def test_a_change_taken_back_is_a_change_again_and_new_work_alone_is_none(desk: Desk) -> None:
    desk.log("2026-11-16,Relaunch,Header,2,")
    await desk.look()
    (state,) = desk.open_updates()
    desk.log("2026-11-16,Relaunch,Header,2,", "2026-11-17,Relaunch,Footer,1,")
    await desk.look()
    assert desk.news(state.case) == []
    assert desk.texts(state) == ["Header"]
    for times, words in enumerate(("Top", "Header", "Top"), 1):
        desk.log(f"2026-11-16,Relaunch,{words},2,", "2026-11-17,Relaunch,Footer,1,")
        await desk.look()
        assert len(desk.news(state.case)) == times
        assert desk.texts(state) == ["Footer", words] or desk.texts(state) == [words, "Footer"]


async def test_a_file_that_is_renamed_changes_nothing_that_is_told(desk: Desk) -> None:
    desk.log("2026-11-16,Relaunch,Header,2,")
    await desk.look()
    (state,) = desk.open_updates()
    folder = desk.house.home / "timesheets"
    (folder / "times.csv").rename(folder / "november.csv")
    assert "0 new, 0 changed, 0 gone" in await desk.look()
    assert desk.news(state.case) == []
    assert desk.ledger.work_of("relaunch")[0].source == "november.csv"


TOLD = ("sent", "mine", "rejected", "uncertain")


class Months:
    """One project over many weeks: logged late, corrected and taken out; updates sent, refused and lapsed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.house = LedgerHouse(folder, clock=StillClock(MONDAY))
        self.every = self.dice.choice(("weekly", "every 2 weeks", "monthly"))
        self.logged: dict[str, Work] = {}
        self.told: dict[str, int] = {}

    def log(self, today: date, late: int) -> None:
        name = f"time:{self.house.clock.time.timestamp():.0f}{len(self.logged)}{late}"
        day = today - timedelta(days=late)
        self.logged[name] = Work(id=name, project="p", day=day, text=name, minutes=60, source="t.csv")

    def correct(self) -> None:
        """A piece is worded anew, or taken out where no client has heard of it."""
        name = self.dice.choice(list(self.logged))
        if self.dice.random() < 0.5:
            self.logged[name] = replace(self.logged[name], text=f"{name} anew")
        elif name not in self.told:
            del self.logged[name]

    def end(self, state: CaseState, outcome: str) -> None:
        pieces = self.house.ledger.report(state.case)[0].work
        self.house.ledger.close_case(replace(state, stage="closed", outcome=outcome))
        for piece in pieces if outcome in TOLD else ():
            assert self.told.setdefault(piece.id, state.case) == state.case, "told twice"

    def look(self, today: date) -> None:
        project = Project(id="p", name="P", email="m@studio.example", update_every=self.every)
        self.house.ledger.keep_projects([project], (), today)
        self.house.ledger.keep_work(self.logged.values(), {"t.csv": date.min})
        begun = self.house.ledger.begin_updates(today, Owner(name="Ada", address="ada@winter.example"))
        assert not begun or today.weekday() < 5

    def day(self, today: date) -> None:
        """An ordinary day, on which much or nothing happens, or the machine is off."""
        for _ in range(self.dice.choice((0, 0, 1, 2))):
            self.log(today, late=self.dice.choice((0, 0, 1, 9)))
        if self.logged and self.dice.random() < 0.2:
            self.correct()
        if self.dice.random() < 0.7:
            self.look(today)
        for state in self.house.ledger.open_cases():
            if self.dice.random() < 0.3:
                self.end(state, self.dice.choice((*TOLD, "expired", "stopped", "failed")))


@pytest.mark.parametrize("seed", range(6))
def test_over_many_weeks_each_piece_is_told_once_and_none_is_lost(tmp_path: Path, seed: int) -> None:
    months, start = Months(tmp_path / "home", seed), MONDAY.date()
    months.look(start)
    for step in range(220):
        today = start + timedelta(days=step)
        months.house.clock.time = MONDAY + timedelta(days=step)
        if step < 150:
            months.day(today)
            continue
        if step == 150:
            months.log(today, late=0)
        months.look(today)
        for state in months.house.ledger.open_cases():
            months.end(state, "sent")
    every = rhythm.pace(months.every)
    assert every
    first = rhythm.last_ended(every, start)
    assert first
    assert [one for one in months.logged.values() if one.id not in months.told and one.day >= first.first] == []
    assert len(months.told) > 50
    months.house.engine.dispose()


# ---------------------------------------------------------------- milestones at risk


MILESTONE = '\n[[milestones]]\nname = "Launch"\ndue = 2026-11-27\nestimate = "{hours}h"\n'


async def test_a_milestone_at_risk_is_told_once_and_again_when_it_is_worse(desk: Desk) -> None:
    desk.write("projects/relaunch.toml", PROJECT + MILESTONE.format(hours=50))
    desk.log("2026-11-23,Relaunch,Header,2,Launch")
    assert "1 milestones at risk told" in await desk.look()  # 48 h left of 45 h
    assert "risk" not in await desk.look()
    desk.clock.move(hours=2)
    assert "risk" not in await desk.look()
    desk.clock.move(days=1)  # a working day less
    assert "1 milestones at risk told" in await desk.look()
    assert desk.notices() == [
        "Milestone at risk: Launch (Relaunch), due 27 Nov 2026 [Deskhand]",
        "Milestone at risk: Launch (Relaunch), due 27 Nov 2026 [Deskhand]",
    ]
    assert {recipient for mail in desk.house.smtp.delivered for recipient in mail.recipients} == {
        desk.house.owner.email
    }


async def test_a_risk_that_passed_is_news_when_it_comes_back(desk: Desk) -> None:
    desk.write("projects/relaunch.toml", PROJECT + MILESTONE.format(hours=50))
    await desk.look()
    desk.write("projects/relaunch.toml", PROJECT + MILESTONE.format(hours=20))
    assert "risk" not in await desk.look()
    desk.write("projects/relaunch.toml", PROJECT + MILESTONE.format(hours=50))
    assert "1 milestones at risk told" in await desk.look()
    assert len(desk.notices()) == 2


async def test_a_crash_between_telling_and_keeping_tells_it_once(desk: Desk) -> None:
    """The notice's key is the same until the ledger knows that it was told."""
    desk.write("projects/relaunch.toml", PROJECT + MILESTONE.format(hours=50))
    await desk.look()
    with transaction(desk.parts.engine) as connection:
        connection.execute(delete(risks))
    assert "1 milestones at risk told" in await desk.look()
    assert len(desk.notices()) == 1


async def test_two_looks_at_once_keep_and_propose_once(desk: Desk) -> None:
    desk.write("projects/relaunch.toml", PROJECT + MILESTONE.format(hours=500))
    desk.log("2026-11-16,Relaunch,Header,2,")
    await asyncio.gather(*(desk.look() for _ in range(4)))
    assert len(desk.open_updates()) == 1
    assert len(desk.notices()) == 1
