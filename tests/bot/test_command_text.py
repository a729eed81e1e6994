import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command_text import parse
from bot.command_values import (
    USAGE,
    Approvals,
    Away,
    Cancel,
    Change,
    Delegations,
    Digest,
    Find,
    Help,
    Misread,
    MoveRun,
    Run,
    Runs,
    Schedule,
    Show,
    Workflows,
)
from bot.typed_words import tokens


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", Help()),
        ("   ", Help()),
        ("help", Help()),
        ("HELP me", Help()),
        ("run", Run()),
        ("run refund-customer", Run(workflow="refund-customer")),
        ("Run Refund-Customer", Run(workflow="refund-customer")),
        ("runs", Runs()),
        ("runs mine", Runs(mine=True)),
        ("runs --exceptions", Runs(exceptions=True)),
        ("runs —exceptions", Runs(exceptions=True)),
        ("runs refund-customer mine", Runs(workflow="refund-customer", mine=True)),
        ("show r_1", Show(run="r_1")),
        ("show `r_1`", Show(run="r_1")),
        ("change r_1", Change(run="r_1")),
        ("change `r_1`", Change(run="r_1")),
        ("cancel r_1 it is wrong", Cancel(run="r_1", reason="it is wrong")),
        ('cancel r_1 "it\'s wrong"', Cancel(run="r_1", reason="it's wrong")),
        ("move r_1 because it is safer", MoveRun(run="r_1", reason="it is safer")),
        ("move `r_1` to `0a1b2c3d` because x", MoveRun(run="r_1", version="0a1b2c3d", reason="x")),
        ("approvals", Approvals()),
        ("workflows", Workflows()),
        ("find broken on arrival", Find(words="broken on arrival")),
        ("digest", Digest()),
        ("delegations", Delegations()),
        ("away until monday", Away(until="monday")),
        ("Away UNTIL friday 18:00", Away(until="friday 18:00")),
        (
            'away until monday because "on holiday"',
            Away(until="monday", reason="on holiday"),
        ),
        ("delegate <@U0BEN|ben> until monday", Away(to="<@U0BEN|ben>", until="monday")),
        ("delegate to @ben until 2026-12-24 18:30", Away(to="@ben", until="2026-12-24 18:30")),
        (
            "delegate @ben until friday 18:00 BECAUSE back until then is nobody",
            Away(to="@ben", until="friday 18:00", reason="back until then is nobody"),
        ),
        ("schedule", Schedule()),
        ("schedule list", Schedule()),
        ("schedule Purge tomorrow 9am", Schedule(workflow="purge", when="tomorrow 9am")),
        (
            'schedule purge cron “0 9 * * 1-5” days=30 why="too old"',
            Schedule(
                workflow="purge",
                when="cron 0 9 * * 1-5",
                inputs={"days": "30", "why": "too old"},
            ),
        ),
    ],
)
def test_each_command_is_read(typed: str, meant: object) -> None:
    assert parse(typed) == meant


def test_inputs_can_be_typed_beside_the_workflow() -> None:
    command = parse('run refund-customer order=ord_1 amount=100 reason="a b"')

    inputs = {"order": "ord_1", "amount": "100", "reason": "a b"}
    assert command == Run(workflow="refund-customer", inputs=inputs)


def test_smart_quotes_and_odd_spaces_from_phones_are_understood() -> None:
    command = parse("run\u00a0refund-customer reason=“it\u2019s   broken”")

    assert command == Run(workflow="refund-customer", inputs={"reason": "it's   broken"})


def test_line_breaks_separate_words_outside_quotes_and_stay_inside() -> None:
    command = parse('run refund-customer\norder=ord_1\nreason="two\nlines"')

    inputs = {"order": "ord_1", "reason": "two\nlines"}
    assert command == Run(workflow="refund-customer", inputs=inputs)


def test_an_apostrophe_inside_a_word_is_no_quote() -> None:
    command = parse("run w reason=customer's")

    assert command == Run(workflow="w", inputs={"reason": "customer's"})


def test_a_quote_inside_quotes_is_written_with_a_backslash() -> None:
    assert tokens(r'a="say \"hi\"" b') == ['a=say "hi"', "b"]


def test_an_empty_value_and_a_value_with_an_equals_sign_are_values() -> None:
    command = parse('run w a="" b=x=y')

    assert command == Run(workflow="w", inputs={"a": "", "b": "x=y"})


def test_what_slack_escaped_is_read_as_it_was_typed() -> None:
    command = parse("run w query=a&lt;b&amp;&amp;c url=<https://a.example/x|a.example/x>")

    inputs = {"query": "a<b&&c", "url": "https://a.example/x"}
    assert command == Run(workflow="w", inputs=inputs)


def test_a_host_or_a_file_of_which_slack_made_a_link_is_read_as_it_was_typed() -> None:
    host = "host=<http://www.google.com|www.google.com>"
    command = parse(f"run w {host} file=<http://README.md|README.md> to=<http://a.dev>")

    inputs = {"host": "www.google.com", "file": "README.md", "to": "http://a.dev"}
    assert command == Run(workflow="w", inputs=inputs)


def test_a_mention_stays_the_id_that_slack_made_of_it() -> None:
    assert parse("find <@U0RITA|rita>") == Find(words="<@U0RITA|rita>")


@pytest.mark.parametrize(
    ("typed", "usage"),
    [
        ("run w order", "run"),
        ("run order=1", "run"),
        ("run w a=1 a=2", "run"),
        ('run w a="open', "run"),
        ("runs a b", "runs"),
        ("runs --all", "runs"),
        ("show", "show"),
        ("show a b", "show"),
        ("change", "change"),
        ("change r_1 amount=5", "change"),
        ("cancel", "cancel"),
        ("cancel r_1", "cancel"),
        ('cancel r_1 ""', "cancel"),
        ("move r_1", "move"),
        ("move r_1 it is safer", "move"),
        ("move r_1 because", "move"),
        ("find", "find"),
    ],
)
def test_what_cannot_be_done_says_how_it_is_asked(typed: str, usage: str) -> None:
    command = parse(typed)

    assert isinstance(command, Misread)
    assert command.usage == usage
    assert command.problem


def test_an_unknown_word_gets_the_nearest_one_suggested() -> None:
    command = parse("aprovals now")

    assert isinstance(command, Misread)
    assert "Did you mean “approvals”?" in command.problem
    assert command.usage == "approvals"


def test_a_workflow_typed_without_run_is_handed_back_as_it_was_typed() -> None:
    command = parse("refund-customer order=1")

    assert isinstance(command, Misread)
    assert command.word == "refund-customer"


def test_a_very_long_text_with_emoji_is_read_whole() -> None:
    reason = "🎉 because " * 500

    assert parse(f"cancel r_1 {reason}") == Cancel(run="r_1", reason=reason.strip())


@given(st.text())
def test_no_text_at_all_breaks_the_reader(typed: str) -> None:
    for start in ("", *(f"{word} " for word in USAGE)):
        parse(start + typed)


_WORDS = st.text(
    st.characters(blacklist_categories=["C", "Z"], blacklist_characters='"\\'), min_size=1
)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), st.text("ab \n'x=")))
def test_quoted_values_come_back_as_they_were_typed(inputs: dict[str, str]) -> None:
    typed = " ".join(f'{name}="{value}"' for name, value in inputs.items())

    assert parse(f"run w {typed}") == Run(workflow="w", inputs=inputs)


@given(st.lists(_WORDS))
def test_words_are_split_at_spaces_only(words: list[str]) -> None:
    assert tokens("  ".join(words)) == words


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("schedule purge", "Say when"),
        ("schedule purge days=30", "Say when"),
        ("schedule days=30 purge tomorrow", "name comes first"),
        ("schedule purge tomorrow 9am days=30 more", "no FIELD=VALUE"),
        ("schedule purge tomorrow 9am days=30 days=31", "given twice"),
        ('schedule purge cron "0 9 * * *', "not closed"),
    ],
)
def test_a_schedule_that_is_not_whole_says_what_is_missing(typed: str, problem: str) -> None:
    read = parse(typed)

    assert isinstance(read, Misread)
    assert problem in read.problem
    assert read.usage == "schedule"


def test_a_character_that_no_database_keeps_counts_as_a_space() -> None:
    assert parse("cancel abc no\0longer wanted") == parse("cancel abc no longer wanted")
    assert parse("show\0abc") == Show(run="abc")
