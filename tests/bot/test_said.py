"""What somebody wrote in Slack, as the words that people see."""

import pytest

from bot.said import readable, words_of_message


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("plain words", "plain words"),
        ("ask <@U0ANA> or <@U0BEN|ben>", "ask @Ana or @ben"),
        ("in <#C0OPS|ops> and <#C0X>", "in #ops and #C0X"),
        ("<!subteam^S1|@support> and <!subteam^S2>", "@support and @group"),
        ("<!channel> <!here|here>", "@channel here"),
        ("<https://a.example/x|the plan>", "the plan (https://a.example/x)"),
        ("<https://a.example/x>", "https://a.example/x"),
        ("see <http://README.md|README.md>", "see README.md"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<!date^1767600000^{date}|5 January>", "5 January"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
    ],
)
def test_markup_is_read_as_words(stored: str, read: str) -> None:
    assert readable(stored, lambda one: {"U0ANA": "Ana"}.get(one, "")) == read


def test_a_message_without_words_is_told_by_its_files() -> None:
    files = [{"name": "plan.pdf"}, {"id": "F2"}]

    assert words_of_message({"text": "", "files": files}) == "(plan.pdf, F2)"
    assert words_of_message({}) == ""
