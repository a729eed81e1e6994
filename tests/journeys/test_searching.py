"""What one person finds of what happened, page by page, and what they are not shown."""

import json
from datetime import timedelta

from bot.app import Bot
from bot.threads import MOST_WORDS
from sandbox.faults import refuse
from sandbox.seen import SeenMessage
from storage.search import find
from storage.search_runs import Sought
from tests.journeys.day import Case
from workflows.entry import INTERLOCK, Actor, ActorKind, Draft, Part, PartClass, RunId
from workflows.people import PersonId
from workflows.store import NewRun

MANY = 23


def tell_of(bot: Bot, number: int, *, channel: str) -> None:
    """Have a run behind us, with its summary."""
    store, run = bot.core.store, RunId(f"{number:032x}")
    version = bot.core.library.active("refund-customer").version
    with store.begin() as unit:
        asker = Actor(kind=ActorKind.USER, ref=unit.ref(PersonId("slack:T0:U0"), "Nobody"))
        unit.add_run(NewRun(id=run, workflow="refund-customer", version=version, channel=channel))
        began = {"workflow": "refund-customer", "version": version, "trigger": "slash"}
        unit.append(Draft(kind="run.started", actor=asker, data=began, run=run))
        unit.append(Draft(kind="run.finished", actor=INTERLOCK, data={"outcome": "done"}, run=run))
        story = {"sentences": [{"text": f"The kettle number {number} whistled.", "basis": [0]}]}
        part = Part(value=json.dumps(story).encode(), cls=PartClass.DERIVED)
        data = {"by_run": run, "method": "extract", "basis": [0]}
        unit.append(
            Draft(kind="summary.written", actor=INTERLOCK, data=data, parts={"summary": part})
        )


def answer(case: Case, typed: str, *, name: str = "rita") -> SeenMessage:
    person = case.person(name)
    before = len(person.ephemerals)
    person.command(typed, channel=case.channel)
    return case.waits(lambda: next(iter(person.ephemerals[before:]), None), f"answer to {typed}")


def turned(case: Case, shown: SeenMessage, words: str) -> SeenMessage:
    """Press the button to the next page and return it."""
    rita = case.person("rita")
    rita.click("Further", message=shown)
    return case.waits(
        lambda: next((one for one in rita.ephemerals if words in one.words), None), words
    )


def shown(case: Case, name: str) -> str:
    """Have the run told to somebody; they need not be in its channel."""
    person, channel = case.person(name), case.channel if name == "rita" else "#lobby"
    before = len(person.ephemerals)
    person.command(f"/ops show {case.run()}", channel=channel)
    return case.waits(lambda: next(iter(person.ephemerals[before:]), None), "the run").words


def test_hits_come_in_pages_of_threads_that_the_reader_is_in(case: Case) -> None:
    bot, channel = case.day.bot, case.slack.workspace.channel(case.channel).id
    for number in range(MANY):
        tell_of(bot, number, channel=channel)
    tell_of(bot, 99, channel="C0NOTHERE")

    first = answer(case, "/ops find kettle")
    second = turned(case, first, f"11 to 20 of {MANY}")
    last = turned(case, second, f"21 to {MANY} of {MANY}")

    assert f"1 to 10 of {MANY}" in first.words
    assert (last.buttons, "Further" in first.buttons) == (["Earlier in the list"], True)
    assert "Nothing that you may see" in answer(case, '/ops find "kettle number 99"').words
    assert find(bot.core.store.database, Sought(words='"kettle number 99"')).total == 1


def test_a_condition_that_names_nothing_is_told_with_what_was_meant(case: Case) -> None:
    assert "Did you mean “workflow:”?" in answer(case, "/ops find wokflow:x").words
    assert "Nobody called “nemo”" in answer(case, "/ops find by:nemo").words


def test_nothing_is_shown_while_slack_does_not_say_where_somebody_is(case: Case) -> None:
    case.slack.faults.next("users.conversations", refuse("fatal_error"))

    assert "which channels you are in" in answer(case, "/ops find kettle").words


def test_a_summary_follows_what_people_write_and_take_back_afterwards(case: Case) -> None:
    def found(word: str) -> bool:
        typed = f"/ops find {word} outcome:done by:me workflow:refund-customer"
        return "1 in all" in answer(case, typed).words

    database, token = case.day.bot.core.store.database, case.slack.bot_token
    root = case.asks()
    case.approves("ana", case.card(root))
    case.ends(root, "done")
    said = case.person("sam").say(f"A marmot ate it. {token}", channel=case.channel, thread=root)
    case.in_time(lambda: found("marmot") or None, "what was said after the end")
    [hit] = find(database, Sought(words="marmot")).page
    assert token not in "".join(one.text for one in hit.snippet)
    assert find(database, Sought(words=token)).total == 0
    case.slack.workspace.add_person("lena", real_name="Lena")
    case.slack.workspace.add_channel("lobby", members=["lena"])
    assert "A marmot ate it." in shown(case, "rita")
    assert "started “Refund a customer”" in shown(case, "rita")
    assert "marmot" not in shown(case, "lena")
    case.person("sam").delete(said)
    case.in_time(lambda: not found("marmot") or None, "words that were taken back")

    assert found(case.order)


def test_what_people_write_is_found_and_quoted_as_they_wrote_it(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    said = "@ana R&D <3 https://shop.example/o?x=1&y=2"
    case.person("sam").say(said, channel=case.channel, thread=root)
    case.approves("ana", card)
    case.ends(root, "done")
    found = case.in_time(
        lambda: (
            told
            if "1 in all" in (told := answer(case, f'/ops find "R&D" {case.order}').words)
            else None
        ),
        "the story",
    )

    assert "amp;" not in found
    assert "sam wrote: “@U0ANA R&D <3 https://shop.example/o?x=1&y=2”" in shown(case, "rita")


def test_no_part_of_a_secret_is_kept_of_a_message_that_is_cut(case: Case) -> None:
    bot, token = case.day.bot, case.slack.bot_token
    half, root = len(token) // 2, case.asks()
    case.card(root)
    said = "x" * (MOST_WORDS - half) + token
    case.person("sam").say(said, channel=case.channel, thread=root)

    def kept() -> str:
        with bot.core.store.begin() as unit:
            return "".join(one.text for one in unit.thread_messages(case.run()))

    text = case.waits(lambda: kept() or None, "the message to be kept")

    assert token[:half] not in text
    assert len(text) == MOST_WORDS


def test_the_digest_of_any_period_names_who_is_waited_for_and_holds_no_secret(case: Case) -> None:
    bot, token = case.day.bot, case.slack.bot_token
    root = case.asks()
    case.card(root)
    case.person("sam").say(f"See {token}", channel=case.channel, thread=root)

    told = answer(case, "/ops digest 30d").words
    made = bot.core.digests.look(since=case.day.time() - timedelta(days=30))
    waits = next(one for one in made.shown.waiting if one.run == case.run())

    assert "runs started" in told
    assert "was" in told
    assert "@finance-leads" in waits.asked
    assert "ana" in waits.asked
    assert '"ana"' not in json.dumps(made.figures)
    assert token not in json.dumps(made.figures)
    assert "is no period" in answer(case, "/ops digest lately").words
