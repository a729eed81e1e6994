from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wording import (
    Who,
    amount,
    bold,
    clean,
    clip,
    clip_marked,
    duration,
    escape,
    joined,
    length,
    link,
    mention,
    mentions,
    names,
    one_line,
    plural,
    when,
    who_of,
)
from tests.bot.payload_checks import units


@pytest.mark.parametrize(
    "typed",
    ["<!channel>", "<@U0ANA>", "<!subteam^S1>", "<https://evil.example|your bank>", "<#C0OPS>"],
)
def test_what_people_type_never_becomes_a_mention_or_a_link(typed: str) -> None:
    assert "<" not in escape(f"look {typed} here")
    assert ">" not in escape(typed)


def test_what_people_type_cannot_format_itself_as_one_of_our_lines() -> None:
    escaped = escape("*Approved* by `Ana` :white_check_mark:\n> quoted ~no~ _yes_")

    assert not set("*`~") & set(escaped)
    assert ":white_check_mark:" not in escaped
    assert "\n&gt;" not in escaped


def test_ids_with_underscores_stay_as_they_are() -> None:
    assert escape("ord_8841 costs 3:30") == "ord_8841 costs 3:30"


def test_marks_that_turn_the_writing_direction_become_visible() -> None:
    assert clean("pay \u202e001 to\u2066 A\x00na\ud800") == "pay \ufffd001 to\ufffd A\ufffdna\ufffd"


def test_composed_emoji_and_accents_survive_cleaning() -> None:
    assert clean("👩‍🚀 Zoë été") == "👩‍🚀 Zoë été"


@pytest.mark.parametrize(
    "typed",
    [
        "ord_1\u034f",
        "\u3164",
        "a\uffa0b",
        "refund\U000e0101\U000e0152",  # Whole sentences are hidden in these.
        "1\ufe0f0",
        "pay\u200dment",
        "e\u0301\u200dx",
        "\u200d",
        "👩\u200d",
    ],
)
def test_what_cannot_be_seen_becomes_visible(typed: str) -> None:
    unseen = "\u034f\u3164\uffa0\U000e0101\U000e0152\ufe0f\u200d"

    assert clean(typed) == "".join("\ufffd" if one in unseen else one for one in typed)
    assert clean(f"{typed} é") == clean(typed) + " é"


@pytest.mark.parametrize(
    "typed",
    [
        "\u26a0\ufe0f 1\ufe0f\u20e3 \u2139\ufe0f \u203c\ufe0f",
        "\u2764\ufe0f\u200d\U0001f525",
        "\u26f9\U0001f3fd\u200d\u2640\ufe0f",
        "葛\U000e0100城",
        "क्\u200dष",
    ],
)
def test_what_changes_how_its_neighbours_look_stays(typed: str) -> None:
    assert clean(typed) == typed


def test_a_value_with_line_breaks_cannot_pretend_to_be_two_lines() -> None:
    assert one_line("a\r\nApproved by: Ana") == "a ⏎ Approved by: Ana"


@given(st.text(), st.integers(1, 200))
def test_clipped_text_fits_and_says_that_it_was_cut(text: str, most: int) -> None:
    clipped = clip(text, most)

    assert units(clipped) <= most
    assert clipped == text or clipped.endswith("…")


@pytest.mark.parametrize("piece", ["&amp;", "<@U0ANA>", "<https://acme.example/p|see>", "word "])
@given(most=st.integers(1, 60))
def test_cut_markup_fits_and_holds_nothing_half(piece: str, most: int) -> None:
    shown = clip_marked(piece * 20, most)

    assert units(shown) <= most
    assert shown.endswith("…")
    assert set(shown.removesuffix("…").replace(piece, "")) <= set(piece if piece == "word " else "")


@given(st.text(), st.integers(1, 200))
def test_escaped_text_fits_and_holds_no_half_entity(text: str, most: int) -> None:
    escaped = escape(text, most)

    assert units(escaped) <= most
    assert "<" not in escaped
    assert escaped.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").count("&") == 0


@given(st.text())
def test_length_counts_as_slack_counts(text: str) -> None:
    assert length(text) == units(text)


def test_a_person_is_mentioned_by_a_well_formed_id_only() -> None:
    assert mention(Who(name="Rita", user="U0RITA")) == "<@U0RITA>"
    assert mention(Who(name="leads", group="S0LEADS")) == "<!subteam^S0LEADS>"
    assert mention(Who(name="<!here>", user="U0> <!channel")) == "&lt;!here&gt;"


def test_an_external_id_names_its_user() -> None:
    assert mention(who_of("slack:T0ACME:U0RITA", "Rita")) == "<@U0RITA>"
    assert mention(who_of("os:ada")) == "ada"
    assert mention(who_of(f"s:{'0' * 32}")) == "somebody whose name was erased"


def test_many_people_are_counted_rather_than_listed() -> None:
    people = [Who(name=f"p{number}") for number in range(8)]

    assert mentions(people, "nobody") == "p0, p1, p2, p3, p4 or 3 others"
    assert names([], "nobody") == "nobody"


def test_only_web_addresses_become_links() -> None:
    assert link("https://a.example/x?a=1&b=2", "go") == "<https://a.example/x?a=1&amp;b=2|go>"
    assert link("javascript:alert(1)", "go") == "go"
    assert link("https://a.example|<!here>", "go") == "go"
    assert link("https://a.example/" + "x" * 1_000, "go") == "go"


def test_a_date_is_shown_in_the_readers_time_zone() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)

    shown = when(noon)

    assert shown == "<!date^1772452800^{date_short_pretty} at {time}|2026-03-02 12:00 UTC>"


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (timedelta(0), "0 ms"),
        (timedelta(milliseconds=31), "31 ms"),
        (timedelta(seconds=61), "1 min 1 s"),
        (timedelta(hours=26), "1 d 2 h"),
        (timedelta(hours=2, seconds=5), "2 h"),
        (timedelta(seconds=-5), "0 ms"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(span: timedelta, told: str) -> None:
    assert duration(span) == told


def test_numbers_and_nouns_agree() -> None:
    assert plural(1, "approval") == "1 approval"
    assert plural(12_000, "entry", "entries") == "12,000 entries"
    assert amount(-5) == "-5"
    assert joined(["a", "b", "c"], "and") == "a, b and c"


def test_bold_stays_on_one_line_and_is_nothing_for_nothing() -> None:
    assert bold("a\nb*c") == "*a ⏎ b*c*"
    assert bold("  ") == ""
