"""Who is who, read from a Slack over HTTP: fresh enough, and closed when it cannot be read."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.directory import Directory
from bot.hurry import asking_at_most
from bot.one_identity import identity_of
from bot.roster import called, known
from bot.slack_client import SlackClient
from bot.wording import mention
from sandbox import faults as fault
from sandbox.seed import seed
from sandbox.server import SandboxServer
from sandbox.settings import Organisation, SandboxSettings
from workflows.errors import PeopleUnreadableError
from workflows.people import CLICK_AGE, EFFECT_AGE, PersonId


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(client: SlackClient, clock: Clock) -> Directory:
    return Directory(client, team="T0ACME", clock=clock)


def person(name: str, team: str = "T0ACME") -> PersonId:
    return PersonId(f"slack:{team}:U0{name.upper()}")


def lists(server: SandboxServer) -> int:
    return len(server.recorder.calls("usergroups.list"))


def test_a_group_is_its_members(directory: Directory) -> None:
    found = directory.members("@finance-leads", max_age=CLICK_AGE)

    assert found == {person("ana"), person("ben")}


@pytest.mark.parametrize("name", ["@ana", "<@U0ANA>", "<@U0ANA|ana>", "@Ana"])
def test_one_person_may_stand_for_a_group(directory: Directory, name: str) -> None:
    assert directory.members(name, max_age=CLICK_AGE) == {person("ana")}


def test_a_group_may_be_named_by_its_id(directory: Directory) -> None:
    found = directory.members("<!subteam^S0FINANCELEADS>", max_age=CLICK_AGE)

    assert found == {person("ana"), person("ben")}


@pytest.mark.trap(9)
def test_people_who_never_count_are_no_members(server: SandboxServer, directory: Directory) -> None:
    server.workspace.add_group("mixed", members=["ana", "gil", "dex", "connie"])

    assert directory.members("@mixed", max_age=CLICK_AGE) == {person("ana")}


def test_the_flags_of_a_person_are_told(directory: Directory) -> None:
    assert directory.person(person("ana")).counts
    assert directory.person(person("gil")).is_guest
    assert directory.person(person("dex")).is_deactivated
    assert directory.person(person("connie", "T0GLOBEX")).is_foreign
    assert directory.person(person("interlock")).is_bot


def test_somebody_of_a_workspace_that_slack_hides_is_foreign(directory: Directory) -> None:
    assert directory.person(person("nobody", "T0OTHER")).is_foreign


def test_whoever_slack_does_not_know_is_unreadable(directory: Directory) -> None:
    with pytest.raises(PeopleUnreadableError, match="no such person"):
        directory.person(person("nobody"))


def test_people_of_the_machine_need_no_slack(server: SandboxServer, directory: Directory) -> None:
    assert directory.person(PersonId("os:maria")).name == "maria"
    assert server.recorder.calls("users.info") == []


def test_one_list_serves_every_group(server: SandboxServer, directory: Directory) -> None:
    directory.members("@finance-leads", max_age=CLICK_AGE)
    directory.members("@support", max_age=CLICK_AGE)
    directory.members("@governors", max_age=EFFECT_AGE)

    assert lists(server) == 1


def test_membership_is_as_fresh_as_the_caller_asks(
    server: SandboxServer, directory: Directory, clock: Clock
) -> None:
    directory.members("@finance-leads", max_age=CLICK_AGE)
    server.workspace.leave_group("ben", "finance-leads")
    clock.now += 30

    assert person("ben") in directory.members("@finance-leads", max_age=CLICK_AGE)
    assert person("ben") not in directory.members("@finance-leads", max_age=EFFECT_AGE)


def test_an_event_about_groups_drops_what_was_known(
    server: SandboxServer, directory: Directory
) -> None:
    directory.members("@finance-leads", max_age=CLICK_AGE)
    server.workspace.leave_group("ben", "finance-leads")

    directory.groups_changed()

    assert directory.members("@finance-leads", max_age=CLICK_AGE) == {person("ana")}


def test_an_event_about_a_person_drops_their_flags(
    server: SandboxServer, directory: Directory
) -> None:
    server.workspace.add_group("mixed", members=["ana", "ben"])
    directory.members("@mixed", max_age=CLICK_AGE)
    server.workspace.deactivate("ben")
    server.workspace.join_group("ben", "mixed")

    directory.person_changed({"id": "U0BEN"})
    directory.groups_changed()

    assert directory.members("@mixed", max_age=CLICK_AGE) == {person("ana")}


def test_an_answer_older_than_the_event_is_not_kept(
    server: SandboxServer, directory: Directory, clock: Clock
) -> None:
    server.faults.next("usergroups.list", fault.slow(0.4))
    asking = threading.Thread(
        target=directory.members, args=("@finance-leads",), kwargs={"max_age": CLICK_AGE}
    )
    asking.start()
    server.workspace.wait_for(lambda: lists(server), what="the list to be asked for")
    clock.now += 0.1
    directory.groups_changed()
    asking.join()

    directory.members("@finance-leads", max_age=CLICK_AGE)

    assert lists(server) == 2


@pytest.mark.parametrize("method", ["users.info", "users.list"])
def test_what_slack_said_of_a_person_before_an_event_is_not_kept(
    server: SandboxServer, directory: Directory, method: str
) -> None:
    names = ["ben", *(f"p{number}" for number in range(30 if method == "users.list" else 0))]
    for name in names[1:]:
        server.workspace.add_person(name)
    server.workspace.add_group("mixed", members=names)
    server.faults.next(method, fault.slow(0.4))
    asking = threading.Thread(
        target=directory.members, args=("@mixed",), kwargs={"max_age": EFFECT_AGE}
    )
    asking.start()
    server.workspace.wait_for(lambda: server.recorder.calls(method), what="Slack to be asked")
    server.workspace.deactivate("ben")
    server.workspace.join_group("ben", "mixed")
    directory.person_changed({"id": "U0BEN"})
    directory.groups_changed()
    asking.join()

    assert person("ben") not in directory.members("@mixed", max_age=CLICK_AGE)


def test_a_list_of_everybody_that_an_event_overtook_names_nobody_later(
    server: SandboxServer, directory: Directory
) -> None:
    server.faults.next("users.list", fault.slow(0.4))
    asking = threading.Thread(target=directory.who, args=("@ana",))
    asking.start()
    server.workspace.wait_for(lambda: server.recorder.calls("users.list"), what="the list")
    directory.person_changed({"id": "U0ANA"})
    asking.join()

    directory.who("@ana")

    assert len(server.recorder.calls("users.list")) == 2


def test_who_was_asked_about_before_another_workspace_is_admitted_counts_at_once(
    server: SandboxServer, directory: Directory
) -> None:
    server.faults.next("users.info", fault.slow(0.4))
    asking = threading.Thread(
        target=directory.members, args=("@U0CONNIE",), kwargs={"max_age": CLICK_AGE}
    )
    asking.start()
    server.workspace.wait_for(lambda: server.recorder.calls("users.info"), what="Slack to be asked")
    directory.admit(["T0OTHER"])
    asking.join()

    directory.members("@U0CONNIE", max_age=CLICK_AGE)

    assert len(server.recorder.calls("users.info")) == 2


@pytest.mark.trap(11)
def test_a_disabled_group_decides_nothing(server: SandboxServer, directory: Directory) -> None:
    server.workspace.disable_group("finance-leads")

    with pytest.raises(PeopleUnreadableError, match="disabled"):
        directory.members("@finance-leads", max_age=CLICK_AGE)


def test_the_user_name_is_told_beside_the_name_that_somebody_shows() -> None:
    eve = known({"id": "U2", "name": "Eve", "profile": {"display_name": "rita"}}, team="T")

    assert (eve.person.name, eve.person.handle) == ("rita", "eve")


def test_somebody_without_a_user_name_goes_by_their_id() -> None:
    nameless = known({"id": "U1", "profile": {"display_name": "rita"}}, team="T")

    assert nameless.person.handle == "u1"


def test_an_unknown_name_is_unreadable(directory: Directory) -> None:
    with pytest.raises(PeopleUnreadableError, match="no user group or person"):
        directory.members("@nobody-at-all", max_age=CLICK_AGE)


@pytest.mark.parametrize("name", ["<@U0NOBODY>", "<!subteam^S0NOBODY>", "@nobody-at-all"])
def test_whom_slack_does_not_know_is_no_better_known_in_a_moment(
    directory: Directory, name: str
) -> None:
    with pytest.raises(PeopleUnreadableError) as refused:
        directory.members(name, max_age=CLICK_AGE)

    assert "Look how it is spelt" in refused.value.hint


def test_a_display_name_counts_only_where_no_user_name_does() -> None:
    ana = known({"id": "U1", "name": "ana", "profile": {"display_name": "Annie"}}, team="T")
    imposter = known({"id": "U2", "name": "eve", "profile": {"display_name": "ana"}}, team="T")

    assert called("Ana", [imposter, ana]) == [ana]
    assert called("annie", [imposter, ana]) == [ana]


@pytest.mark.trap(8)
def test_nobody_becomes_those_whom_a_file_names_by_a_name_they_give_themselves(
    server: SandboxServer, directory: Directory
) -> None:
    """A group that was renamed, or somebody who has left, leaves a name that anybody can show."""
    server.workspace.add_person("mallory")
    mallory = server.hub.state.users["U0MALLORY"]
    for name in ("former-leads", "ana.left"):
        mallory.display_name = name
        directory.person_changed({"id": mallory.id})

        for ask in (directory.everybody, lambda one: directory.members(one, max_age=CLICK_AGE)):
            with pytest.raises(PeopleUnreadableError, match="a display name names nobody here"):
                ask(f"@{name}")
        assert directory.who(f"@{name}").user == ""
        assert directory.one(f"@{name}").id.endswith("U0MALLORY")  # As somebody typed it.


def test_a_name_that_two_people_gave_themselves_is_refused(
    server: SandboxServer, directory: Directory
) -> None:
    for name in ("kim", "kay"):
        server.workspace.add_person(name)
        server.hub.state.users[f"U0{name.upper()}"].name = "twin"

    with pytest.raises(PeopleUnreadableError, match="2 people go by the name"):
        directory.members("@twin", max_age=CLICK_AGE)


@pytest.mark.trap(11)
def test_a_plan_without_groups_says_so() -> None:
    with SandboxServer(SandboxSettings(paid_plan=False)) as server:
        seed(server.workspace)
        client = SlackClient(server.bot_token, base_url=server.api_url)
        directory = Directory(client, team="T0ACME")

        with pytest.raises(PeopleUnreadableError, match="name people instead"):
            directory.members("@finance-leads", max_age=CLICK_AGE)


def test_a_slow_slack_costs_a_click_no_more_than_its_second(
    server: SandboxServer, directory: Directory
) -> None:
    server.faults.next("usergroups.list", fault.slow(1.6))

    with pytest.raises(PeopleUnreadableError, match="could not be asked"):
        directory.members("@finance-leads", max_age=CLICK_AGE)


def test_whoever_has_no_time_left_for_slack_is_refused_without_asking(
    server: SandboxServer, directory: Directory
) -> None:
    with asking_at_most(0), pytest.raises(PeopleUnreadableError, match="Slack is slow"):
        directory.members("@finance-leads", max_age=CLICK_AGE)

    assert lists(server) == 0


@pytest.mark.trap(13)
def test_after_a_429_slack_is_left_alone_as_long_as_it_said(
    server: SandboxServer, directory: Directory, clock: Clock
) -> None:
    server.faults.next("usergroups.list", fault.rate_limited(20))
    with pytest.raises(PeopleUnreadableError, match="wait"):
        directory.members("@finance-leads", max_age=CLICK_AGE)
    clock.now += 19
    with pytest.raises(PeopleUnreadableError, match="wait"):
        directory.members("@finance-leads", max_age=CLICK_AGE)

    clock.now += 2

    assert directory.members("@finance-leads", max_age=CLICK_AGE)
    assert lists(server) == 2


def test_many_clicks_at_once_ask_slack_once(server: SandboxServer, directory: Directory) -> None:
    found: list[int] = []

    def click() -> None:
        found.append(len(directory.members("@finance-leads", max_age=CLICK_AGE)))

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [2] * 8
    assert lists(server) == 1


def test_a_large_group_is_read_from_the_list_of_everybody(
    server: SandboxServer, directory: Directory
) -> None:
    names = [f"p{number}" for number in range(30)]
    for name in names:
        server.workspace.add_person(name)
    server.workspace.add_group("everybody", members=names)

    assert len(directory.members("@everybody", max_age=timedelta(seconds=10))) == 30
    assert server.recorder.calls("users.info") == []


def test_a_group_is_mentioned_so_that_slack_tells_its_members(directory: Directory) -> None:
    assert mention(directory.who("@finance-leads")) == "<!subteam^S0FINANCELEADS>"
    assert mention(directory.who("@ana")) == "<@U0ANA>"
    assert mention(directory.who("@nobody-at-all")) == "@nobody-at-all"


def test_people_of_another_workspace_count_once_it_is_admitted(directory: Directory) -> None:
    connie = person("connie", "T0GLOBEX")
    before = directory.members("@U0CONNIE", max_age=timedelta(0))
    directory.admit(["T0OTHER"])
    still = directory.members("@U0CONNIE", max_age=timedelta(0))
    directory.admit(["T0GLOBEX"])

    assert before == still == frozenset()
    assert directory.members("@U0CONNIE", max_age=timedelta(0)) == {connie}


def test_an_id_that_somebody_has_at_home_makes_nobody_of_another_workspace_them(
    directory: Directory,
) -> None:
    ana, namesake = person("ana"), person("ana", "T0GLOBEX")
    directory.admit(["T0GLOBEX"])
    found = directory.person(namesake)

    assert (found.id, found.is_foreign) == (namesake, True)
    assert directory.is_outsider(namesake)
    assert directory.person(ana).counts


@pytest.mark.parametrize("team", ["E0ORG", "T0NORTH", "T0SOUTH"])
def test_whoever_has_several_workspaces_is_themselves_in_each(
    server: SandboxServer, client: SlackClient, team: str
) -> None:
    server.workspace.add_person("nora")
    nora = server.hub.state.users["U0NORA"]
    org = Organisation(id="E0ORG", name="Org", teams={"T0NORTH": "North", "T0SOUTH": "South"})
    server.hub.state.settings = replace(server.hub.settings, organisation=org)
    nora.teams = ["T0NORTH", "T0SOUTH"]
    north = Directory(client, team="T0NORTH")

    assert north.person(person("nora", team)).id == person("nora", "T0NORTH")
    assert identity_of(north, team, "U0NORA") == person("nora", "T0NORTH")


def test_a_guest_of_an_admitted_workspace_never_counts() -> None:
    guest = {"id": "U0GUEST", "team_id": "T0GLOBEX", "is_stranger": True, "is_restricted": True}

    assert not known(guest, team="T0ACME", admitted={"T0GLOBEX"}).person.counts


@pytest.mark.parametrize(
    ("name", "people"), [("@U0ANA", ["ana"]), ("@S0FINANCELEADS", ["ana", "ben"])]
)
def test_a_file_may_name_people_and_groups_by_their_ids(
    directory: Directory, name: str, people: list[str]
) -> None:
    assert directory.members(name, max_age=CLICK_AGE) == {person(one) for one in people}
    assert mention(directory.who(name)).startswith("<")


def test_an_id_of_earlier_years_is_one_too_and_a_name_in_capitals_is_a_name(
    server: SandboxServer, directory: Directory
) -> None:
    for name, ident in (("vera", "UA8RXUSPL"), ("ulrich", "U0ULRICH")):
        server.workspace.add_person(name)
        user = server.hub.state.users.pop(f"U0{name.upper()}")
        user.id = ident
        server.hub.state.users[ident] = user

    found = directory.members("@UA8RXUSPL", max_age=CLICK_AGE)
    assert [one.rpartition(":")[2] for one in found] == ["UA8RXUSPL"]
    assert directory.members("@ULRICH", max_age=CLICK_AGE) == {person("ulrich")}


def test_everybody_of_an_organisation_is_at_home_in_it() -> None:
    grid = {"enterprise_id": "E0ORG", "teams": ["T0SOUTH"]}
    sven = known({"id": "W0SVEN", "team_id": "T0SOUTH", "enterprise_user": grid}, team="E0ORG")
    gus = known({"id": "W0GUS", "team_id": "T0ELSEWHERE"}, team="E0ORG")

    assert sven.person.id == "slack:E0ORG:W0SVEN"
    assert sven.person.counts
    assert not gus.person.counts
