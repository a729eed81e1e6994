from dataclasses import replace
from datetime import timedelta

import pytest

from bot.command_text import parse
from bot.command_values import USAGE, Misread
from bot.views.help_page import Startable, help_page, misread_page
from bot.views.lists import (
    FOUND_PAGE,
    ApprovalLine,
    EntryLine,
    Found,
    FoundPage,
    RunLine,
    RunShown,
    VersionInUse,
    WorkflowLine,
    approval_list,
    found_list,
    run_list,
    run_shown,
    workflow_list,
)
from bot.views.paging import PAGE_EARLIER, PAGE_LATER, read_page_value
from bot.views.pieces import MEANT, Rendered
from tests.bot.payload_checks import buttons_of, faults_of_message, text_of
from tests.bot.shown import ANA, LEADS, NOON, RITA
from workflows.run import Status

RUN = RunLine(
    run="r_1",
    title="Refund a customer",
    status=Status.WAITING,
    requester=RITA,
    started_at=NOON,
    note="@finance-leads",
    thread="https://acme.example/p1",
)
APPROVAL = ApprovalLine(
    request="q_1",
    title="Refund a customer",
    headline="POST shop /refunds",
    requester=RITA,
    expires_at=NOON,
    have=0,
    need=1,
    asked=(LEADS,),
    card="https://acme.example/p2",
)
WORKFLOW = WorkflowLine(
    name="refund-customer",
    title="Refund a customer",
    description="Gives money back",
    version="60892d85aa",
    owner="@finance-ops",
    is_destructive=True,
    may_start=True,
)


def told_by(message: Rendered) -> str:
    assert faults_of_message(message.payload) == []
    return text_of(message.payload)


def test_runs_are_listed_with_state_requester_and_link() -> None:
    told = told_by(run_list([RUN], command="runs"))

    assert "⏸️ *<https://acme.example/p1|Refund a customer>* · waiting · @finance-leads" in told
    assert "`r_1` · asked by <@U0RITA>" in told
    assert "1 in all" in told


def test_of_a_workflow_that_destroys_nothing_it_is_not_said_that_nobody_is_asked() -> None:
    told = told_by(workflow_list([replace(WORKFLOW, is_destructive=False)]))

    assert "Answered for by @finance-ops · does nothing destructive" in told


def test_without_runs_the_list_says_how_to_start_one() -> None:
    assert "Start one with `/ops run`" in told_by(run_list([], command="runs"))


def test_every_item_of_a_long_list_is_on_exactly_one_page() -> None:
    runs = [replace(RUN, run=f"r_{number}", note="n" * 150) for number in range(200)]
    seen, page = [], 1
    while True:
        message = run_list(runs, command="runs mine", page=page)
        told = told_by(message)
        seen += [number for number in range(200) if f"`r_{number}`" in told]
        turns = buttons_of(message.payload)
        assert (PAGE_EARLIER in turns) == (page > 1)
        if PAGE_LATER not in turns:
            break
        command, page = read_page_value(turns[PAGE_LATER])
        assert command == "runs mine"

    assert seen == list(range(200))
    assert page > 1


def test_a_page_that_does_not_exist_becomes_the_nearest() -> None:
    last = run_list([RUN], command="runs", page=9)

    assert last.payload == run_list([RUN], command="runs").payload


@pytest.mark.parametrize("value", ["", "x runs", "-1 runs", "99999999999 runs", "² runs"])
def test_a_tampered_page_becomes_the_first(value: str) -> None:
    assert read_page_value(value)[1] == 1


def test_approvals_that_wait_for_the_reader_come_first() -> None:
    later = replace(APPROVAL, title="Mine", is_mine=True, expires_at=NOON + timedelta(days=1))
    told = told_by(approval_list([APPROVAL, later]))

    assert told.index("Mine") < told.index("Refund a customer")
    assert "1 of them waits for you" in told
    assert "0 of 1 approval from <!subteam^S0FINANCELEADS>" in told


def test_with_nothing_to_decide_the_list_says_so() -> None:
    assert "Nothing waits for a decision" in told_by(approval_list([]))


def test_a_list_that_holds_only_some_says_so() -> None:
    assert "Only the newest are listed." in told_by(run_list([RUN], command="runs", is_cut=True))
    assert "those that end first are listed" in told_by(approval_list([APPROVAL], is_cut=True))


def test_workflows_say_who_answers_for_them_and_whether_they_ask() -> None:
    other = replace(WORKFLOW, may_start=False, is_best_effort=True)
    told = told_by(workflow_list([WORKFLOW, other]))

    assert "Answered for by @finance-ops · asks before it changes anything for good" in told
    assert "you may not start it" in told
    assert told.count("best effort: tries once, verifies nothing") == 1
    assert "None is published" in told_by(workflow_list([]))


def test_workflows_say_who_runs_what_version() -> None:
    versions = [
        VersionInUse(version="8" * 64, runs=2, asked=[RITA, ANA], is_active=True),
        VersionInUse(version="5" * 64, runs=1, asked=[], is_active=False),
        *[VersionInUse(version="3" * 64, runs=1, asked=[], is_active=False)] * 3,
    ]
    told = told_by(workflow_list([replace(WORKFLOW, going=versions)]))

    assert "Going on: 2 runs by `88888888`, asked for by <@U0RITA> and <@U0ANA>;" in told
    assert "; 1 run by `55555555` (not the active version);" in told
    assert told.count("33333333") == 1
    assert "; 2 further versions" in told
    assert "Going on" not in told_by(workflow_list([WORKFLOW]))


def test_a_run_is_told_entry_by_entry_with_the_numbers_that_prove_it() -> None:
    entries = [
        EntryLine(rseq=0, index=41, at=NOON, kind="run.started", words="started", actor=RITA),
        EntryLine(
            rseq=1, index=None, at=NOON, kind="approval.granted", words="approved", actor=ANA
        ),
    ]
    shown = RunShown(line=RUN, entries=entries, summary="Ana approved it.", head="43/1d9adf54")

    told = told_by(run_shown(shown))

    assert "`#41` started · <@U0RITA>" in told
    assert "`#…` approved · <@U0ANA>" in told
    assert "Signed under head `43/1d9adf54`" in told
    assert "*Summary*\nAna approved it." in told


def test_a_models_summary_is_labelled() -> None:
    shown = RunShown(line=RUN, entries=[], summary="All went well.", is_model_text=True)

    assert "*Summary, in a model's words*" in told_by(run_shown(shown))


def test_hits_are_bold_in_their_snippet_and_the_rest_is_dead_letters() -> None:
    snippet = [("it was ", False), ("broken", True), (" on <!here> *arrival*", False)]
    hit = Found(run="r_1", title="Refund", status=Status.DONE, snippet=snippet, at=NOON)

    told = told_by(found_list("broken", FoundPage(found=[hit], total=1)))

    assert "it was *broken* on &lt;!here&gt; " in told
    assert "*arrival*" not in told


def test_a_search_without_hits_says_what_to_try() -> None:
    told = told_by(found_list("<!channel>", FoundPage(found=[], total=0)))

    assert "Nothing that you may see speaks of *&lt;!channel&gt;*. Try fewer words" in told
    assert "`/ops runs` lists those that go on" in told


def test_a_page_of_hits_says_which_of_how_many_and_turns_both_ways() -> None:
    hit = Found(run="r_1", title="Refund", status=Status.DONE, snippet=[], at=NOON)
    shown = FoundPage(found=[hit] * FOUND_PAGE, total=2_000, page=2, is_cut=True)

    built = found_list("by:me broken", shown)
    values = [
        button["value"]
        for block in built.payload["blocks"]
        if block["type"] == "actions"
        for button in block["elements"]
    ]

    assert "11 to 20 of the newest 2,000" in told_by(built)
    assert "before:2026-01-31" in told_by(built)
    assert values == ["1 find by:me broken", "3 find by:me broken"]


def test_a_page_of_hits_that_is_not_there_leads_back() -> None:
    built = found_list("broken", FoundPage(found=[], total=11, page=3))

    assert "no page 3 of 11" in told_by(built)


def test_help_names_every_command() -> None:
    told = told_by(help_page(name="/do"))

    assert all(f"`/do {usage}`" in told for usage in USAGE.values())


def test_help_says_what_its_reader_may_start_and_how() -> None:
    startable = [
        Startable(name="refund-customer", title="Refund", example="order=ord_1 amount=1"),
        *(Startable(name=f"w-{one}", title=f"<!channel> {one}") for one in range(20)),
    ]
    told = told_by(help_page(startable=startable))

    assert "*Refund*  `/ops run refund-customer order=ord_1 amount=1`" in told
    assert "… and 13 others: `/ops workflows`" in told
    assert "Nothing; ask one of the operators" in told_by(help_page(startable=[]))
    assert "Ask again in a minute" in told_by(help_page(startable=[], is_certain=False))


def test_what_was_misread_gets_the_one_line_that_helps() -> None:
    command = parse("aprovals <!channel>")
    assert isinstance(command, Misread)

    told = told_by(misread_page(command.problem, usage=command.usage))

    assert "Did you mean “approvals”?" in told
    assert "`/ops approvals`" in told
    assert "`/ops digest`" not in told


def test_what_was_probably_meant_becomes_a_button() -> None:
    page = misread_page("There is no “rnus”.", meant="runs mine")

    assert buttons_of(page.payload) == {MEANT: "runs mine"}
    assert "/ops runs mine" in told_by(page)
    assert buttons_of(misread_page("No.", usage="run", meant="run " + "x" * 2_000).payload) == {}
