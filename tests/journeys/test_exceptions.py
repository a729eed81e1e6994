"""A run that stopped waits in the queue until somebody settles it, in Slack or beside it."""

import json
import os
import pwd
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.orders import SettleOrder, carry_out
from sandbox.demo.stage import Stage
from sandbox.seen import SeenMessage
from sandbox.targets.shop_faults import Fault
from tests.journeys.day import Case, Day, day_at_work
from tests.sandbox.payload_checks import complaints_about
from workflows.errors import NotAllowedError
from workflows.people import PersonId

ME = pwd.getpwuid(os.getuid()).pw_name
OPERATORS = f'operators: {{{ME}: "@omar", support: "@rita"}}\n'

# A voucher is given and told, then something is missing.
VOUCHER = """
workflow: give-voucher
title: Give a voucher
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
inputs:
  order: {type: string, pattern: "^ord_[a-z0-9]+$", title: Order}
steps:
  - id: give
    uses: slack.post
    with: {text: "A voucher for ${{ inputs.order }}."}
    undo: {uses: slack.post, with: {text: "The voucher for ${{ inputs.order }} is void."}}
  - id: tell
    uses: slack.post
    with: {text: "Told about it."}
    undo: none
  - id: book
    uses: http.request
    with: {service: shop, path: "/orders/ord_${{ inputs.order }}x"}
"""

# One branch stops at once; the other pays, and then waits for long.
ASIDE = """
workflow: pay-aside
title: Pay aside
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
inputs:
  order: {type: string, pattern: "^ord_[a-z0-9]+$", title: Order}
steps:
  - id: side
    parallel:
      looks:
        - id: look
          uses: http.request
          with: {service: shop, path: "/orders/ord_${{ inputs.order }}x"}
      pays:
        - id: pause
          wait: 3m
        - id: pay
          uses: http.request
          with:
            service: shop
            method: POST
            path: /refunds
            json: {order: "${{ inputs.order }}", amount: 5}
          undo: {uses: slack.post, with: {text: "The payment for ${{ inputs.order }} is void."}}
        - id: rest
          wait: 3d
"""


# What was paid is taken back with approval, the last first.
TAKEN_BACK = """
workflow: pay-each
title: Pay each
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
inputs:
  orders: {type: list, of: {type: string, pattern: "^ord_[0-9]+$"}, title: Orders}
steps:
  - id: each
    foreach: ${{ inputs.orders }}
    as: order
    steps:
      - id: pay
        uses: http.request
        with:
          service: shop
          method: POST
          path: /refunds
          json: {order: "${{ order }}", amount: 5}
        undo:
          uses: slack.post
          with: {text: "The payment for ${{ order }} is void."}
          approval: {stages: [{from: ["@finance-leads"], approve: 1}]}
  - id: look
    uses: http.request
    with: {service: shop, path: "/orders/ord_${{ inputs.orders[0] }}x"}
"""


def with_more(stage: Stage) -> None:
    (stage.workflows / "pay-aside.yaml").write_text(ASIDE)
    (stage.workflows / "pay-each.yaml").write_text(TAKEN_BACK)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    home = tmp_path_factory.mktemp("exceptions")
    more = {"more_policy": OPERATORS, "workflow": VOUCHER}
    with day_at_work(home, prepare=with_more, **more) as open_day:
        yield open_day
        assert complaints_about(open_day.stage.slack.recorder) == []


def stopped(case: Case) -> tuple[SeenMessage, SeenMessage]:
    """Have a refund stop at the shop; return the thread's first message and the card."""
    case.day.stage.shop.faults.switch_on(Fault.ERROR, times=1000)
    root = case.asks()

    def found() -> SeenMessage | None:
        return next((one for one in case.thread(root) if "Abort" in str(one.buttons)), None)

    card = case.in_time(found, "an exception card")
    case.day.stage.shop.faults.clear()
    return root, card


def beside(case: Case, *words: str) -> Any:  # noqa: ANN401 - whatever JSON a command prints.
    """Return what a command says that runs beside the bot."""
    home = str(case.day.stage.home)
    told = CliRunner().invoke(main, [*words, "--json"], env={"INTERLOCK_HOME": home})
    return json.loads(told.output)


def run_of(case: Case) -> str:
    return str(case.entries()[0].run)


def asks(case: Case, name: str, text: str) -> str:
    person = case.person(name)
    before = len(person.ephemerals)
    person.command(text, channel=case.channel)
    return case.waits(lambda: next(iter(person.ephemerals[before:]), None), "an answer").words


def waiting(case: Case) -> list[dict[str, Any]]:
    """Return what of the case's run the command line lists as waiting for a person."""
    listed = beside(case, "runs", "--exceptions")["exceptions"]
    return [one for one in listed if one["run"] == run_of(case)]


def comes_to_say(case: Case, message: SeenMessage, words: str) -> None:
    case.waits(lambda: words in case.now(message).words or None, f"word of {words!r}")


def test_a_stopped_run_waits_in_the_queue_and_says_what_there_is_to_know(case: Case) -> None:
    root, card = stopped(case)
    (listed,) = waiting(case)

    assert "The service answered 500" in card.words
    assert "Tried 5 times" in card.words
    assert "What came back:\nThe service answered 500." in card.words
    assert "This run has changed nothing so far" in card.words
    assert "Abort and undo" not in card.buttons  # Nothing has been done that could be undone.
    assert (listed["step"], listed["waits"], listed["error_class"]) == (
        *("order", "exception", "http_500"),
    )
    assert listed["asked"] == ["@finance-ops", "@support-leads"]
    so_far = "tried 5 times; the run has changed nothing so far"
    assert (listed["so_far"], listed["cannot_be_undone"]) == (so_far, [])
    shown = asks(case, "sam", "/ops runs --exceptions")
    assert "The service answered 500" in shown
    assert f"So far {so_far}" in shown
    case.person("omar").click("Abort", message=card)
    case.ends(root, "aborted")
    assert waiting(case) == []
    assert "⏹️ `order`  given up after it failed" in case.now(root).words  # Nobody rejected it.


def test_people_are_reminded_until_a_governor_settles_it(case: Case) -> None:
    root, card = stopped(case)
    for hours, group in ((1, "finance-ops"), (3, "support-leads"), (20, "governors")):
        case.day.later(timedelta(hours=hours, minutes=1))
        case.replies(root, f"@{group}: `order` still waits")
    comes_to_say(case, card, "@support-leads or @governors, please say")
    before = case.kinds().count("exception.reminded")
    assert waiting(case)[0]["asked"][-1] == "@governors"

    case.person("ivan").click("Retry from this step", message=case.now(card))
    case.approves("ana", case.card(root))
    case.ends(root, "done")
    comes_to_say(case, card, "*Tried again* by @ivan")
    case.day.later(timedelta(days=3))

    assert case.kinds().count("exception.reminded") == before == 3
    assert case.refunds() == [500]


def test_an_account_that_the_policy_names_answers_from_the_command_line(case: Case) -> None:
    root, card = stopped(case)
    told = beside(case, "settle", run_of(case), "order", "retry", "--reason", "shop is back")
    case.approves("ana", case.card(root))
    case.ends(root, "done")
    comes_to_say(case, card, "*Tried again* by @omar")

    assert told["answer"] == "retry"
    assert told["served"] is True
    assert "shop is back" in case.now(card).words
    answered = next(one for one in case.entries() if one.data.get("decision") == "retry")
    assert answered.data["via"] == "cli"
    assert case.refunds() == [500]


@pytest.mark.parametrize(("account", "why"), [("nobody", "Nobody knows"), ("support", "owner")])
def test_an_account_of_nobody_or_of_somebody_else_is_refused(
    case: Case, account: str, why: str
) -> None:
    _, card = stopped(case)
    order = SettleOrder(run=run_of(case), step="order", answer="skip", reason="let me")

    with pytest.raises(NotAllowedError, match=why):
        carry_out(case.day.bot.core, order, person=PersonId(f"os:{account}"))
    assert len(waiting(case)) == 1
    case.person("omar").click("Abort", message=card)


def test_a_run_that_a_named_account_starts_is_its_person_s_own(case: Case) -> None:
    values = (f"order={case.order}", "amount=500", "reason=broken", "--channel", case.channel)
    refused = beside(case, "run", "refund-customer", *values)

    assert refused["refusal"] == "NotAllowedError"
    assert "You may not run refund-customer" in refused["message"]  # As Omar may not in Slack.


def test_abort_and_undo_takes_back_what_can_be_and_says_so(case: Case) -> None:
    typed = f"/ops run give-voucher order={case.order}"
    case.person("rita").command(typed, channel=case.channel)
    root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")
    card = case.waits(
        lambda: next((one for one in case.thread(root) if "Abort" in str(one.buttons)), None),
        "an exception card",
    )
    assert "give: slack.post: ↩️ can be undone\n• tell: slack.post: 🔒 cannot be" in card.words
    assert "Abort and undo" in card.buttons
    told = beside(case, "runs", "--exceptions", "--workflow", "give-voucher")
    (listed,) = told["exceptions"]
    assert "; cannot be undone: tell; can be undone: give" in listed["so_far"]
    assert (listed["cannot_be_undone"], listed["can_be_undone"]) == (["tell"], ["give"])
    assert "cannot be undone: tell" in asks(case, "sam", "/ops runs --exceptions")
    assert "a moment ago, and it is stopped" in asks(case, "rita", typed)  # It may yet go on.

    case.person("omar").click("Abort and undo", message=card)
    case.replies(root, f"The voucher for {case.order} is void.")
    comes_to_say(case, root, "aborted")
    comes_to_say(case, card, "*Aborted, undoing begun* by @omar")

    comes_to_say(case, card, "give: slack.post: ✔️ undone")
    assert not case.now(card).buttons
    assert "has started" in asks(case, "rita", typed)  # What was given up is meant to be repeated.


def test_a_card_tells_what_the_run_does_beside_it_and_offers_to_take_it_back(case: Case) -> None:
    case.person("rita").command(f"/ops run pay-aside order={case.order}", channel=case.channel)
    root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")
    card = case.waits(
        lambda: next((one for one in case.thread(root) if "Abort" in one.buttons), None),
        "an exception card",
    )
    assert "This run has changed nothing so far" in card.words
    assert "Abort and undo" not in card.buttons
    case.replies(root, "`pause` waits")
    case.day.later(timedelta(minutes=4))

    comes_to_say(case, card, "pay: http.request shop: ↩️ can be undone")
    assert case.refunds() == [5]
    case.person("omar").click("Abort and undo", message=case.now(card))
    case.replies(root, f"The payment for {case.order} is void.")


def test_whoever_approves_an_undoing_is_told_what_it_takes_back_and_what_a_no_leaves(
    case: Case,
) -> None:
    orders = f"{case.order},ord_1001"
    case.person("rita").command(f"/ops run pay-each orders={orders}", channel=case.channel)
    root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")
    stop = case.waits(
        lambda: next((one for one in case.thread(root) if "Abort" in str(one.buttons)), None),
        "an exception card",
    )
    case.person("omar").click("Abort and undo", message=stop)
    card = case.card(root)

    assert "Pay each, taking back pay/1: Post to this thread" in card.words
    assert "Approved, it runs and takes that step back" in card.words
    assert "the run ends there, and what is not taken back yet stays as it is" in card.words
    assert "Change" not in card.buttons  # Its values are those of what was done.
    case.person("ana").click("Reject", message=card)
    case.person("ana").submit({"Why do you reject it?": "leave it"})
    comes_to_say(case, root, "is rejected (")
    assert "Pay each, taking back pay/1" in case.closed(card).words
    comes_to_say(case, stop, "pay/0: http.request shop: 🔒 was not undone, and stays")
    assert "can be undone" not in case.now(stop).words
    assert not [one for one in case.thread(root) if one.text.startswith("The payment")]


def test_what_is_settled_already_is_said_on_the_command_line(case: Case) -> None:
    root, card = stopped(case)
    case.person("omar").click("Abort", message=card)
    case.ends(root, "aborted")
    told = beside(case, "settle", run_of(case), "order", "skip", "--reason", "too late")
    again = beside(case, "cancel", run_of(case), "--reason", "too late")

    assert "settled already" in told["message"]
    assert "has ended already: aborted" in again["message"]
