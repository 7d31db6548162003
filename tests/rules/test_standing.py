"""The standing yes in the ledger: given, and gone for good with the first edit or no, however many approvals follow."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from memory.record.schema import cases, meta, to_json, transaction, versions
from tests.ledgers import OWNER, House, mail
from workflows.models.case import CaseState
from workflows.models.decisions import Answer, Reject, Unclear, Why
from workflows.models.drafts import Brief, Draft, DraftedBy, Outgoing
from workflows.models.mail import Address, Attachment
from workflows.models.orders import Allow, Disallow
from workflows.models.proposals import Proposal
from workflows.rules.asking import acknowledgement
from workflows.rules.text.canonical import approved_hash

ASKED = "ask:{case}.1:1"
PLAIN = acknowledgement.compose("en", "", "", OWNER.name)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def end(house: House, outcome: str) -> None:
    """One more case of the client that ends so."""
    house.clock.move(minutes=1)
    number = house.clock.now().isoformat()
    event = house.receive(mail(f"Question {number}", senders=(Address(email="maria@studio.example"),)))
    assert event is not None
    state = house.ledger.case(event.case)
    house.clock.move(minutes=1)
    house.ledger.close_case(replace(state, stage="closed", outcome=outcome, version=1))


def allow(house: House, key: str) -> bool:
    return house.ledger.carry_out(key, Allow(what="reply"), house.clock.now()).ok


def test_a_no_ends_it_until_the_owner_allows_it_anew(house: House) -> None:
    assert not allow(house, "too early")
    end(house, "sent")
    assert allow(house, "first")
    assert house.ledger.stands_for("reply")
    end(house, "expired")
    end(house, "sent")
    assert house.ledger.stands_for("reply")
    end(house, "rejected")
    assert not house.ledger.stands_for("reply")
    end(house, "sent")
    assert not house.ledger.stands_for("reply")
    assert allow(house, "second")
    assert house.ledger.stands_for("reply")


def test_it_takes_so_many_in_a_row_as_the_settings_say_and_else_ten(tmp_path: Path):
    for auto_after, needed in ((3, 3), (0, 10)):
        house = House(tmp_path / str(needed), auto_after=auto_after)
        for number in range(needed):
            refused = house.ledger.carry_out(f"early {number}", Allow(what="reply"), house.clock.now())
            assert not refused.ok
            assert f"{needed - number} more " in refused.says
            end(house, "sent")
        end(house, "rejected")
        assert not allow(house, "after a no")
        for _ in range(needed):
            end(house, "sent")
        assert allow(house, "at last")
        assert house.ledger.stands_for("reply")


def test_when_a_case_ended_is_kept_with_its_zone(house: House) -> None:
    end(house, "sent")
    (row,) = house.ledger.case_rows()
    assert row.closed_at == house.clock.now()


def test_taken_back_the_row_is_counted_anew_the_same_day(house: House) -> None:
    end(house, "sent")
    assert allow(house, "first")
    house.clock.move(minutes=1)
    house.ledger.carry_out("back", Disallow(what="reply"), house.clock.now())
    assert not allow(house, "second")
    end(house, "sent")
    assert not house.ledger.stands_for("reply")
    assert len(house.ledger.row_of_approvals("reply")) == 1
    assert allow(house, "third")


# ---------------------------------------------------------------- a yes said by the ledger itself


class Shown:
    """A case whose draft was shown, ten minutes ago, under a standing yes that stood before."""

    def __init__(self, house: House, body: str = PLAIN, by: str = "template", **brief: object) -> None:
        self.house = house
        end(house, "sent")
        with transaction(house.engine) as connection:  # whom the owner has written to
            from memory.record.people import mark_written_to

            mark_written_to(connection, house.ledger.clients()[0].id)
        assert allow(house, "yes")
        house.clock.move(minutes=1)
        event = house.receive(mail("May I ask you something?", senders=(Address(email="maria@studio.example"),)))
        assert event is not None
        self.case = event.case
        number = house.ledger.keep_brief(Brief(**({"case": self.case, "message": "May I?"} | brief)), "k")
        state = replace(house.ledger.case(self.case), brief=number, round=1)
        state = house.ledger.add_version(
            state, Draft(body=body, gist="", model="m" if by == "model" else "", by=DraftedBy(by))
        )
        house.ledger.mark_delivered(event.key, "mail")
        house.ledger.save_case(replace(state, stage="waiting"))
        self.show()
        house.clock.move(minutes=10)

    def show(self, intent: str = ASKED, **row: object) -> None:
        self.house.sent_row(intent=intent.format(case=self.case), purpose="approval", case=self.case, version=1, **row)

    @property
    def state(self) -> CaseState:
        return self.house.ledger.case(self.case)

    def says_yes(self) -> bool:
        """As the workflow asks: with whatever state it has."""
        return self.house.ledger.say_yes(self.state) is not None

    def change(self, **values: object) -> None:
        with transaction(self.house.engine) as connection:
            connection.execute(update(versions).where(versions.c.case == self.case).values(**values))

    def answered(self, decision: object, via: str = "mail") -> None:
        answer = Answer(key=f"a-{via}", case=self.case, version=1, decision=decision, via=via)
        assert self.house.ledger.record_answer(answer)


def test_what_was_shown_and_left_alone_for_its_time_leaves_once(house: House) -> None:
    shown = Shown(house)
    first = house.ledger.say_yes(shown.state)
    assert first is not None
    assert (first.via, first.hash) == ("standing", house.ledger.version_hash(shown.case, 1))
    house.ledger.carry_out("back", Disallow(what="reply"), house.clock.now())
    assert house.ledger.say_yes(shown.state) == first  # a step made again says what it said


def test_the_state_that_asks_is_not_believed(house: House) -> None:
    shown = Shown(house, body="1500 dollars instead of 3000, and all copyrights.\n", by="model")
    forged = CaseState(
        case=shown.case, kind="reply", version=1, stage="waiting", hash=approved_hash(OTHER), leaves_at=None, round=1
    )
    assert house.ledger.say_yes(forged) is None
    assert house.ledger.say_yes(replace(shown.state, kind="reply", brief=0)) is None
    assert house.ledger.say_yes(replace(shown.state, case=9999)) is None
    assert house.ledger.say_yes(replace(shown.state, version=2)) is None
    assert house.ledger.answers(shown.case) == ()


OTHER = Outgoing(case=1, version=1, to=(), subject="", body=PLAIN)


def _edited(shown: Shown) -> None:
    house = shown.house
    state = house.ledger.add_version(shown.state, Draft(body="Mine.\n", gist="", by=DraftedBy.OWNER))
    house.ledger.save_case(replace(state, stage="waiting"))


def _with_file(shown: Shown) -> None:
    outgoing = shown.house.ledger.outgoing(shown.case, 1)
    outgoing = replace(outgoing, attachments=(Attachment(name="offer.pdf", size=1, sha256="0"),))
    shown.change(outgoing=to_json(outgoing), hash=approved_hash(outgoing))


def _with_proposal(shown: Shown) -> None:
    outgoing = shown.house.ledger.outgoing(shown.case, 1)
    outgoing = replace(outgoing, proposals=(Proposal(key="booking", tool="calendar.book", permission="write"),))
    shown.change(outgoing=to_json(outgoing), hash=approved_hash(outgoing))


def _given_later(shown: Shown) -> None:
    with transaction(shown.house.engine) as connection:
        now = shown.house.clock.now().isoformat()
        connection.execute(update(meta).where(meta.c.key == "auto:reply").values(value=now))


def _another_kind(shown: Shown) -> None:
    with transaction(shown.house.engine) as connection:
        connection.execute(update(cases).where(cases.c.number == shown.case).values(kind="update"))


def _news(shown: Shown) -> None:
    asked = shown.house.ledger.email(shown.state.event)
    assert asked is not None
    shown.house.receive(
        mail("Forget it.", senders=asked.senders, in_reply_to=(asked.message_id,), references=(asked.message_id,))
    )


@pytest.mark.parametrize(
    "happens",
    [
        lambda shown: shown.house.clock.move(minutes=-1),
        lambda shown: shown.show("ask:{case}.1:2"),
        lambda shown: shown.change(by="model"),
        lambda shown: shown.change(by="owner"),
        lambda shown: shown.change(state="superseded"),
        lambda shown: shown.change(state="rejected"),
        lambda shown: shown.change(outgoing=to_json(replace(OTHER, case=shown.case, body="All rights are yours.\n"))),
        lambda shown: shown.change(draft=to_json(Draft(body=PLAIN, gist="", model="gpt"))),
        lambda shown: shown.house.ledger.carry_out("x", Disallow(what="reply"), shown.house.clock.now()),
        lambda shown: end(shown.house, "rejected"),
        lambda shown: shown.answered(Reject()),
        lambda shown: shown.answered(Why()),
        lambda shown: shown.answered(Unclear(question=""), "hint"),
        lambda shown: shown.house.ledger.save_case(replace(shown.state, stage="needs_owner")),
        lambda shown: shown.house.ledger.save_case(replace(shown.state, hold="a complaint")),
        lambda shown: shown.house.ledger.save_case(replace(shown.state, later_until=shown.house.clock.now())),
        lambda shown: shown.house.ledger.close_case(replace(shown.state, stage="closed", outcome="expired")),
        _edited,
        _with_file,
        _with_proposal,
        _given_later,
        _another_kind,
        _news,
    ],
)
def test_each_of_these_makes_it_wait_for_a_yes(house: House, happens: Callable[[Shown], object]) -> None:
    shown = Shown(house)
    happens(shown)
    assert not shown.says_yes()
    assert all(answer.via != "standing" for answer in house.ledger.answers(shown.case))


@pytest.mark.parametrize("row", [{"state": "approved"}, {"state": "claimed"}, {"state": "committing"}])
def test_what_was_not_shown_never_leaves(house: House, row: dict[str, str]) -> None:
    shown = Shown(house)
    with transaction(house.engine) as connection:
        from memory.record.schema import outbox

        connection.execute(update(outbox).where(outbox.c.case == shown.case).values(**row))
    assert not shown.says_yes()


@pytest.mark.parametrize("brief", [{"hints": ("Reply-To differs",)}, {"message": "What is your price?"}])
def test_a_note_or_their_word_of_money_keeps_it_back(house: House, brief: dict[str, object]) -> None:
    assert not Shown(house, **brief).says_yes()


def test_a_text_of_anybody_elses_never_leaves(house: House) -> None:
    assert not Shown(house, body="Thursday works.\n").says_yes()


def test_a_status_update_is_not_taken_and_an_old_yes_to_it_can_be_ended(house: House) -> None:
    refused = house.ledger.carry_out("u", Allow(what="update"), house.clock.now())
    assert not refused.ok
    assert "always waits for your yes" in refused.says
    assert house.ledger.carry_out("s", Disallow(what="update"), house.clock.now()).ok
