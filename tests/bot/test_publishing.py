"""A version counts once its owner and a governor agreed, who neither wrote nor proposed it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.catalog import LOWERED, PLAIN, Office
from workflows.errors import NotAllowedError, NotEligibleError


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    found = Office(tmp_path)
    yield found
    found.core.memory.database.close()


def test_a_version_is_active_once_owner_and_governor_agreed(office: Office) -> None:
    put = office.propose(PLAIN)
    office.settle(put.run)
    before = office.active()
    office.vote(put.run, "olga")
    office.settle(put.run)
    half = office.active()
    office.agree(put.run, "gina")

    assert (before, half) == (None, None)
    assert office.active() == put.version
    assert office.core.library.active("tidy-up").version == put.version
    activated = office.log("workflow.activated")[-1]
    assert activated.data["by_run"] == put.run
    assert [one.data["outcome"] for one in office.entries(put.run)[-1:]] == ["done"]


def test_a_file_is_drift_until_people_agreed_and_a_restart_changes_nothing(office: Office) -> None:
    office.write("files/tidy-up.yaml", PLAIN)
    office.restart()
    first = office.active()
    put = office.propose(PLAIN)
    office.agree(put.run, "olga", "gina")
    office.write("files/tidy-up.yaml", LOWERED)
    office.restart()

    assert first is None
    assert office.active() == put.version
    (office.folder / "files/tidy-up.yaml").unlink()
    office.restart()
    assert office.active() == put.version


def test_who_proposed_who_wrote_and_who_published_never_decide(office: Office) -> None:
    put = office.propose(PLAIN, by="omar", author="@olga")
    office.town.groups["@owners"] |= {"rita"}
    again = office.propose(PLAIN, by="rita")
    office.settle(put.run)

    assert again.run == put.run
    for who in ("omar", "olga"):
        with pytest.raises(NotEligibleError):
            office.vote(put.run, who)


def test_one_person_who_is_owner_and_governor_is_one_voice(office: Office) -> None:
    put = office.propose(PLAIN)
    office.settle(put.run)
    office.vote(put.run, "omar")
    office.settle(put.run)

    assert office.active() is None
    office.agree(put.run, "gina")
    assert office.active() == put.version


def test_a_lowered_gate_stands_first_on_the_card(office: Office) -> None:
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    put = office.propose(LOWERED)
    office.settle(put.run)

    assert "LOWERED: 2 of @deciders → 1 of @deciders" in office.card(put.run)[0]


def test_an_effect_in_a_workflow_that_is_started_is_named_on_both_cards(office: Office) -> None:
    inner = PLAIN.replace("tidy-up", "inner").replace("Tidy up", "Inner")
    outer = PLAIN.partition("steps:")[0].replace("inputs: {what: {type: string}}\n", "")
    outer += 'steps:\n  - {id: go, workflow: inner, inputs: {what: "all"}}\n'
    office.agree(office.propose(inner).run, "olga", "gina")
    first = office.propose(outer)
    office.agree(first.run, "olga", "gina")
    more = "  - {id: again, uses: slack.post, with: {channel: '#ops', text: x}, undo: none}\n"
    second = office.propose(inner + more)
    office.settle(second.run)

    assert any(
        "inner" in one and "say egress by slack.post" in one for one in office.card(first.run)
    )
    assert "Is started by: tidy-up." in office.card(second.run)
    assert "new egress effect" in office.card(second.run)[0]


def test_of_two_that_race_the_second_is_refused_and_says_why(office: Office) -> None:
    office.agree(office.propose(PLAIN).run, "olga", "gina")
    one, other = office.propose(LOWERED), office.propose(PLAIN.replace("Tidied", "Cleared"))
    office.settle(other.run)
    office.agree(one.run, "olga", "gina")
    office.vote(other.run, "olga")
    office.vote(other.run, "gina")
    office.settle(other.run)

    assert office.active() == one.version
    void = next(one for one in office.entries(other.run) if one.kind == "approval.withdrawn")
    assert b"has changed meanwhile" in (void.parts["reason"].value or b"")


def test_nobody_proposes_without_a_name_or_where_nobody_is_asked(office: Office) -> None:
    with pytest.raises(NotAllowedError, match="Nobody knows which person"):
        office.propose(PLAIN, by="mallory")
