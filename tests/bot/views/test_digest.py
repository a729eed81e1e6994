import re
from collections import Counter
from datetime import date, timedelta

from bot.digest_page import digest_page
from bot.views.digest import details, digest, plainer, sentence, without_charts
from bot.views.digest_values import (
    Before,
    DayFigures,
    DecisionFigures,
    HealthFigures,
    Waiting,
    WorkflowFigures,
)
from bot.views.figures import Series, bar_chart, data_table, pie_chart
from bot.views.pieces import Rendered
from tests.bot.payload_checks import faults_of_blocks, faults_of_message, text_of
from tests.bot.shown import ANA, NOON, a_digest, a_head
from workflows.failure_modes import VIEWS, FailureMode, pareto, shortened


def a_mode(*, step: str, target: str) -> FailureMode:
    return FailureMode(
        workflow="refund-customer", version="9f" * 32, step=step, target=target, cause="refused"
    )


def told_by(message: Rendered) -> str:
    assert faults_of_message(message.payload) == []
    return text_of(message.payload)


def kinds(message: Rendered) -> list[str]:
    return [block["type"] for block in message.payload["blocks"]]


def test_the_digest_is_one_sentence_for_phones() -> None:
    assert sentence(a_digest()) == (
        "Digest of 2026-02-23 to 2026-03-02: 5 runs started, 3 done, 1 not approved, 0 failed,"
        " 1 open. 1 run waits for a person."
    )


def test_the_chart_the_table_and_the_words_say_the_same() -> None:
    message = digest(a_digest())
    told = told_by(message)

    chart = next(one for one in message.payload["blocks"] if one["type"] == "data_visualization")
    done = next(one for one in chart["chart"]["series"] if one["name"] == "done")
    assert done["data"][0] == {"label": "Sun 01 Mar", "value": 3}
    assert "Sun 01 Mar 3/1/0" in told
    table = next(one for one in message.payload["blocks"] if one["type"] == "data_table")
    assert [cell["text"] for cell in table["rows"][1]] == [
        "Refund a customer",
        "5",
        "3",
        "1",
        "0",
        "1",
    ]


def test_where_charts_are_refused_the_same_figures_stand_in_words() -> None:
    chartless, tableless = plainer(a_digest())

    assert "data_visualization" not in kinds(chartless)
    assert "data_table" in kinds(chartless)
    assert not {"data_visualization", "data_table"} & set(kinds(tableless))
    assert "Sun 01 Mar 3/1/0" in told_by(chartless)
    assert "Refund a customer: 5 started, 3 done, 1 not approved, 0 failed, 1 open" in told_by(
        tableless
    )
    assert "Sun 01 Mar ███" in told_by(chartless)
    assert without_charts(a_digest()).payload == chartless.payload


def test_the_signed_head_stands_letter_by_letter_with_how_to_check_it() -> None:
    message = digest(a_digest(head=a_head(verified="verified in 1.2 s"), readers=[ANA]))
    note = next(one for one in message.payload["blocks"] if one["type"] == "rich_text")

    assert note["elements"][0]["elements"][0]["text"] == a_head().note.strip("\n")
    told = told_by(message)
    assert "`interlock audit verify --db" in told
    assert "entries #10 to #41, without a gap" in told
    assert "verified in 1.2 s" in told
    assert "<@U0ANA>, please answer in this thread" in told
    assert "`HZrfVGFiY2Rl`" in told


def test_decisions_are_told_with_their_median() -> None:
    figures = DecisionFigures(approved=2, denied=1, median=timedelta(minutes=75), refused=3, own=1)
    told = told_by(digest(a_digest(decisions=figures)))

    assert "2 approved, 1 rejected" in told
    assert "Half of the requests were decided in less than 1 h 15 min." in told
    assert "3 decisions did not count, 1 of them by whoever had asked" in told


def test_an_empty_week_gets_a_digest_too() -> None:
    empty = a_digest(
        days=[], workflows=[], waiting=[], decisions=DecisionFigures(), head=a_head(first=1, last=0)
    )

    told = told_by(digest(empty))
    assert "no runs. Nothing waits for a person." in told
    assert "no entry was added" in told
    assert details(empty) == []


def test_many_workflows_are_summed_in_the_table_and_listed_in_the_thread() -> None:
    workflows = [WorkflowFigures(title=f"Workflow {one}", started=1) for one in range(300)]
    shown = a_digest(workflows=workflows, waiting=[])

    table = next(one for one in digest(shown).payload["blocks"] if one["type"] == "data_table")
    assert table["rows"][-1][0]["text"] == "289 more"
    told = "\n".join(told_by(reply) for reply in details(shown))
    assert all(f"*Workflow {one}*" in told for one in range(300))


def test_what_waits_and_what_went_wrong_is_told_in_the_thread() -> None:
    shown = a_digest(
        exceptions=["r_2 <!here> failed"],
        changes=["policy changed"],
        previous="https://a.example/p",
    )
    told = "\n".join(told_by(reply) for reply in details(shown))

    assert "• *Refund a customer* `r_1` for @finance-leads, since <!date^" in told
    assert "• r_2 &lt;!here&gt; failed" in told
    assert "• policy changed" in told
    assert "<https://a.example/p|The digest before this one>" in told_by(digest(shown))


def test_of_a_long_period_the_chart_says_which_days_it_shows() -> None:
    days = [DayFigures(day=date(2026, 1, 1) + timedelta(days=one), done=one) for one in range(60)]
    chart = next(
        one
        for one in digest(a_digest(days=days)).payload["blocks"]
        if one["type"] == "data_visualization"
    )

    assert chart["title"] == "Runs that ended, last 20 days"
    assert len(chart["chart"]["axis_config"]["categories"]) == 20


def test_charts_and_tables_stay_within_what_slack_draws() -> None:
    bars = bar_chart(
        "t" * 90, ["same"] * 40, [Series(name="same", values=(1.5,) * 40)] * 9, y_label="y" * 90
    )
    pie = pie_chart("", [("a" * 30, 1), ("b", 0), *((f"s{one}", one) for one in range(1, 12))])
    table = data_table("", ["", "n"], [("", 1)] * 150, most=99)
    assert pie is not None
    assert table is not None

    assert faults_of_blocks([bars.to_dict(), pie.to_dict(), table.to_dict()]) == []


def test_nothing_to_draw_draws_nothing() -> None:
    assert pie_chart("t", [("a", 0)]) is None
    assert data_table("t", ["a"], []) is None


def test_the_health_of_approvals_is_one_line_and_what_stands_out_is_in_the_thread() -> None:
    found = ["Ana approved 38 of 38, median 3 s.", "Refund: 7 of 20 requests expired."]
    health = HealthFigures(period="30d", words="41 decisions", findings=found)
    (chapter,) = [one for one in details(a_digest(health=health)) if "stands out" in one.text]

    told = told_by(digest(a_digest(health=health)))
    assert "last 30d: 41 decisions. 2 things stand out: in the thread." in told
    assert "Ana" not in told
    assert "• Ana approved 38 of 38, median 3 s." in told_by(chapter)
    calm = a_digest(health=HealthFigures(period="30d", words="41 decisions"))
    assert "Nothing stands out." in told_by(digest(calm))


def test_what_stops_runs_is_a_chart_of_its_own_and_stands_in_words_too() -> None:
    causes = [("The service refused it", 5), ("The bot stopped on the way", 2)]
    shown = a_digest(health=HealthFigures(period="30d", words="41 decisions", causes=causes))
    message = digest(shown)

    charts = [one for one in message.payload["blocks"] if one["type"] == "data_visualization"]
    assert [one["title"] for one in charts][1:] == ["What stopped runs, last 30d"]
    told = "The service refused it 5; The bot stopped on the way 2."
    assert told in told_by(message)
    assert told in told_by(without_charts(shown))
    assert "data_visualization" not in kinds(without_charts(shown))


def test_what_stops_runs_is_drawn_by_step_target_and_version_in_the_thread() -> None:
    modes = Counter({a_mode(step=f"step-{one}", target="shop"): 9 - one for one in range(9)})
    views = [(name, shortened(pareto(modes, by))) for name, by in VIEWS.items()]
    shown = a_digest(health=HealthFigures(period="30d", words="45 decisions", modes=views))
    replies = [one for one in details(shown) if "What stopped runs" in one.text]
    told = [told_by(one) for one in replies]

    assert [kinds(one) for one in replies] == [["header", "data_visualization", "rich_text"]] * 3
    assert [one.text.partition(":")[0] for one in replies] == [
        f"What stopped runs, by {name}, last 30d" for name in ("step", "target", "version")
    ]
    bars = replies[0].payload["blocks"][1]["chart"]["series"][0]["data"]
    assert [one["value"] for one in bars] == [9, 8, 7, 6, 5, 10]
    assert bars[0]["label"] == "1. …-customer/step-0"
    assert "1. refund-customer/step-0" in told[0]
    assert "9 (20 %)" in told[0]
    assert "shop: 45 times, 100 % of all so far" in replies[1].text
    assert "refund-customer/step-0: 9 times, 20 % of all so far" in digest_page(shown)


def test_five_numbers_stand_against_the_period_before() -> None:
    before = Before(started=2, done=3, refused=4, failed=0, median=timedelta(hours=1))
    told = told_by(digest(a_digest(before=before)))

    assert "*5* runs started · ▲ 3, was 2" in told
    assert "*3* done · as many as before (3)" in told
    assert "*1* not approved · ▼ 3, was 4" in told
    assert "until half of the requests were decided" in told


def test_a_bar_shows_whatever_happened_and_is_no_wider_than_a_phone() -> None:
    days = [
        DayFigures(day=date(2026, 3, 1), done=900, refused=1, failed=1),
        DayFigures(day=date(2026, 3, 2), failed=1),
    ]
    lines = text_of(without_charts(a_digest(days=days)).payload).splitlines()
    bars = [one for one in lines if "█" in one or "×" in one][:2]  # noqa: RUF001 - a sign, not a letter.

    assert [bars[0].count(sign) for sign in "█▒×"] == [30, 1, 1]  # noqa: RUF001 - as above.
    assert bars[1].endswith("× 1")  # noqa: RUF001 - as above.


def test_whoever_is_waited_for_is_named_in_the_thread() -> None:
    waits = Waiting(
        title="Refund", run="r_1", since=NOON, waits_for="an approval", asked=("@leads", "Ana")
    )
    told = told_by(details(a_digest(waiting=[waits]))[0])

    assert "for an approval (asked: @leads and Ana), since" in told


def test_the_page_says_the_same_and_runs_and_loads_nothing() -> None:
    evil = "<script>alert(1)</script>"
    waits = Waiting(title=evil, run="r_1", since=NOON, waits_for="x", asked=("@leads",))
    page = digest_page(a_digest(waiting=[waits], before=Before(started=2), exceptions=[evil]))

    assert "<td>5</td><td>runs started</td><td>▲ 3, was 2</td>" in page
    assert "asked: @leads" in page
    assert evil not in page
    assert page.count("&lt;script&gt;") == 2
    assert not re.findall(r"(?:src=|href|url\()", page)
    assert "default-src 'none'" in page
