"""A change of a workflow in Slack: its card, those who may not decide it, what becomes of it."""

from collections.abc import Iterator

import pytest

from bot.orders import carry_out
from bot.publish_orders import PublishOrder
from sandbox.demo.stage import Stage
from sandbox.seen import SeenMessage
from tests.journeys.company import SHIPPED
from tests.journeys.day import Case, Day, day_at_work
from tests.sandbox.payload_checks import complaints_about
from workflows.entry import RequestId, RunId
from workflows.errors import NotAllowedError
from workflows.gate import Verdict
from workflows.orders import Ballot, Start
from workflows.people import PersonId

GATED = """
operators: {rita: "@rita", ivan: "@ivan", ana: "@ana"}
publish: {}
secrets: {till_token: {publishers: ["@finance-leads"]}}
"""
TILL = """services:
  till: {base_url: "http://127.0.0.1:9", private: true, secret_header: {secret: till_token}}
"""
USES_IT = """
workflow: look-into-the-till
title: Look into the till
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
secrets: [till_token]
steps: [{id: look, uses: http.request, with: {service: till, path: /sum}}]
"""
NIGHTLY = (SHIPPED / "nightly-check.yaml").read_text()


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    def prepare(stage: Stage) -> None:
        text = stage.policy.read_text()
        stage.policy.write_text(text.replace("services:\n", TILL, 1))

    home = tmp_path_factory.mktemp("publishing")
    with day_at_work(home, more_policy=GATED, prepare=prepare) as open_day:
        yield open_day
        assert complaints_about(open_day.stage.slack.recorder) == []


def proposed(case: Case, text: str, *, by: str) -> SeenMessage:
    """Propose a file on the bot's machine, with the case's channel; return the run's card."""
    text = text.replace("run_by:", f'channel: "{case.channel}"\nrun_by:')
    order = PublishOrder(file="nightly-check.yaml", text=text, reason="It is too short.")
    carry_out(case.day.bot.core, order, person=PersonId(f"os:{by}"))
    root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")
    return case.card(root)


def agrees(case: Case, name: str, card: SeenMessage) -> str:
    """Have somebody read the whole of a first version and approve it there; return the answer."""
    person = case.person(name)
    person.click("Review all, then approve", message=card)
    person.wait_for_view("step tell: with text")
    person.submit({})
    return "" if person.view is None else person.view.words


def told(case: Case, text: str) -> str:
    person = case.person("petra")
    before = len(person.ephemerals)
    person.command(text, channel=case.channel)
    return case.waits(lambda: next(iter(person.ephemerals[before:]), None), "an answer").words


def test_a_change_is_read_and_agreed_to_on_a_card_and_then_runs(case: Case) -> None:
    card = proposed(case, NIGHTLY, by="ivan")
    refusal = agrees(case, "ivan", card)
    agrees(case, "petra", card)
    agrees(case, "dora", card)
    library = case.day.bot.core.library
    case.waits(lambda: library.definitions() or None, "the workflow")
    shown = library.active("nightly-check")
    named = f"Publish nightly-check: version {shown.version[:8]}"

    assert "asked for this" in refusal
    assert named in card.words
    assert len(card.words.splitlines()) < 30
    assert "Check: no fault, no warning" in card.words
    assert "3. tell: egress, by slack.post" in card.words
    assert "It is too short." in card.words
    (root,) = [one for one in case.roots() if named in one.words]
    assert "interlock-publish is" not in root.words
    assert shown.version[:8] in told(case, "/ops workflows")
    history = told(case, "/ops history nightly-check")
    assert "active; proposed by ivan; agreed: petra, dora; why: It is too short." in history
    assert "Nightly check of shop and CRM" in told(case, "/ops diff nightly-check")


def test_only_those_the_policy_names_publish_what_uses_a_secret(case: Case) -> None:
    with pytest.raises(NotAllowedError, match="the secret till_token"):
        proposed(case, USES_IT, by="ivan")
    card = proposed(case, USES_IT, by="ana")

    assert "Publish look-into-the-till" in card.words


WAITS = """
workflow: tell-the-team
title: Tell the team
owner: "@platform"
deputy: "@platform-leads"
run_by: ["@platform"]
steps:
  - id: tell
    uses: slack.post
    with: {channel: "#ops", text: "Moved once"}
    approval: {stages: [{from: ["@platform-leads"]}]}
    undo: none
"""


def publishes(case: Case, text: str) -> None:
    """Have a version proposed, and agreed to by its owner and a governor."""
    core = case.day.bot.core
    text = text.replace("run_by:", f'channel: "{case.channel}"\nrun_by:')
    order = PublishOrder(file="tell-the-team.yaml", text=text, reason="It is time.")
    run = RunId(str(carry_out(core, order, person=PersonId("os:ana"))["run"]))
    for name in ("petra", "ivan"):
        asked = case.waits(lambda: open_request(case, run), "a request to publish")
        person = PersonId(f"slack:{case.slack.workspace.id}:{case.person(name).id}")
        core.engine.decide(Ballot(request=asked, person=person, verdict=Verdict.APPROVE))
    case.waits(lambda: core.store.run(run).status.is_end or None, "the end of the publication")


def open_request(case: Case, run: RunId) -> RequestId | None:
    with case.day.bot.core.store.begin() as unit:
        asked = unit.open_request(run)
    return asked.id if asked is not None else None


def test_an_owner_has_a_waiting_run_go_by_the_newer_version(case: Case) -> None:
    petra, core = case.person("petra"), case.day.bot.core
    publishes(case, WAITS)
    who = PersonId(f"slack:{case.slack.workspace.id}:{petra.id}")
    start = Start(workflow="tell-the-team", inputs={}, trigger="slash", person=who)
    run = core.engine.start(start).run
    root = case.waits(
        lambda: next((one for one in case.roots() if run in one.words), None), "the run's thread"
    )
    before = case.card(root)
    publishes(case, WAITS.replace("Moved once", "Moved twice"))
    seen = len(petra.ephemerals)
    petra.command(f"/ops show {run}", channel=case.channel)
    shown = case.waits(lambda: next(iter(petra.ephemerals[seen:]), None), "the run's story")
    petra.click("Go by the newer version", message=shown)
    petra.wait_for_view("Moved once → Moved twice")
    petra.submit({"Why?": "It says it twice."})
    after = case.card(root, other_than=before)

    assert "Moved twice" in after.words
    assert "goes on by version" in case.replies(root, "It says it twice.").words
    assert "another version of the workflow" in case.closed(before).words
    assert told(case, f"/ops move {run} because it is newer").startswith("🔀 The run is on version")
