"""`interlock adopt`: a draft of a workflow from a script or a conversation; nothing is run."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from bot.cli.draft_words import Kept, asked_for_words
from bot.cli.output import answer, as_json_option, fault_data
from bot.places import place_in
from bot.settings import read_settings
from bot.whole_files import write_new
from storage.rows import DatabaseRows
from workflows.actions.registry import all_actions
from workflows.adopting.found import Script
from workflows.adopting.proposed import prompt_of
from workflows.adopting.python_script import read_python
from workflows.adopting.secrets import without_secrets
from workflows.adopting.shell_script import read_shell
from workflows.adopting.thread import joined, read_thread, texts_in
from workflows.adopting.writing import Drafted, Heading, drafted
from workflows.check import check_text
from workflows.errors import DefinitionError
from workflows.fault import Fault
from workflows.loading import read_text
from workflows.services import Services

EXISTING = click.Path(path_type=Path, exists=True, dir_okay=False)
PYTHON = re.compile(r"^#!.*python", re.IGNORECASE)


@click.command("adopt")
@click.argument("script", required=False, type=EXISTING)
@click.option("--thread", metavar="FILE|LINK", help="A thread: in JSON, or its link in Slack.")
@click.option("--name", help="Of the workflow; else like the file.")
@click.option("--title", help="In a few words, what it does.")
@click.option("--owner", default="@todo-owner", metavar="@GROUP", help="Who answers for it.")
@click.option("--deputy", default="@todo-deputy", metavar="@GROUP", help="The deputy; approves.")
@click.option("--no-model", is_flag=True, help="Have no language model propose words.")
@click.option("--out", type=click.Path(path_type=Path), help="Write it there, not to the screen.")
@as_json_option
def adopt(
    script: Path | None,
    thread: str | None,
    out: Path | None,
    *,
    no_model: bool,
    as_json: bool,
    **said: Any,  # noqa: ANN401 - name, title, owner and deputy.
) -> None:
    """Draft a workflow from SCRIPT, in shell or Python, or from a thread.

    The script is read and never run. Each thing it does is taken for the worst it could be and
    asks people; what only a person can say is marked TODO(person), and `interlock check` refuses
    the file until it is said. Secrets are taken out.

    A language model that is set up proposes names, words, types of inputs and, of a thread, the
    order; they are marked as its own. What a step does, and who is asked, it has no part in.
    """
    if (script is None) == (thread is None):
        raise click.UsageError("Name a script, or a --thread.")
    if out is not None and out.exists():
        raise DefinitionError(f"{out} is there already.", hint="Choose another name.")
    source, text, found = _script(script) if script is not None else _thread(thread or "")
    slug = said["name"] or _slug(Path(source).stem)
    heading = Heading(
        workflow=slug,
        title=said["title"] or slug.replace("-", " ").capitalize(),
        owner=said["owner"],
        deputy=said["deputy"],
        source=source,
    )
    file = str(out or f"{slug}.yaml")
    made, faults = _checked(found, heading, file)
    settings = read_settings()
    if settings.model and not no_model:
        words = asked_for_words(settings, prompt_of(text, found))
        kept = Kept(title=bool(said["title"]), order=script is not None)
        better = words.applied(found, heading, kept)
        tried = None if better is None else _checked(*better, file)
        if tried is None or _errors(tried[1]) > _errors(faults):
            why = words.why or "what it proposed does not pass the checks"
            click.echo(f"The draft is without a language model's words: {why}.", err=True)
        else:
            made, faults = tried
    if out is not None:
        _write(out, made.text)
    answer(_data(made, faults), _lines(made, faults, out), as_json=as_json)


def _checked(found: Script, heading: Heading, file: str) -> tuple[Drafted, Sequence[Fault]]:
    made = drafted(found, heading)
    actions = all_actions(Services(), DatabaseRows(now=lambda: datetime.now(UTC)))
    return made, check_text(made.text, file, actions)[1]


def _errors(faults: Sequence[Fault]) -> int:
    return sum(not one.is_warning for one in faults)


def _script(source: Path) -> tuple[str, str, Script]:
    """Return the name of a script, its text without secrets, and what it does."""
    text = read_text(source)
    cleaned = without_secrets(text)
    is_python = source.suffix == ".py" or PYTHON.match(text) is not None
    found = read_python(cleaned.text) if is_python else read_shell(cleaned.text)
    return source.name, cleaned.text, replace(found, secrets=cleaned.secrets)


def _thread(source: str) -> tuple[str, str, Script]:
    """Return the name of a thread, its words without secrets, and what it says was done."""
    is_link = source.startswith(("https://", "http://"))
    texts = _said_at(source) if is_link else texts_in(read_text(Path(source)))
    cleaned = without_secrets(joined(texts))
    numbers = _messages(cleaned.text)
    secrets = tuple((numbers[line - 1], name) for line, name in cleaned.secrets)
    name = "a thread in Slack" if is_link else Path(source).name
    return name, cleaned.text, replace(read_thread(cleaned.text), secrets=secrets)


def _said_at(link: str) -> list[str]:
    """Return what was said in the thread at a link, read from Slack now.

    Raises:
        DefinitionError: it is the link of no message, or this process has no token.
        InterlockError: Slack does not give it.
    """
    # Everybody else reads files, for which no client of Slack is needed.
    from bot.org_client import slack_of  # noqa: PLC0415
    from bot.slack_errors import SlackError  # noqa: PLC0415
    from bot.thread_reading import MOST_READ, words_about  # noqa: PLC0415

    found, settings = place_in(link), read_settings()
    if found is None:
        raise DefinitionError(f"{link} is the link of no message.", hint="Copy it in Slack.")
    if settings.bot_token is None:
        raise DefinitionError(
            "Slack is not asked here.", hint="Set SLACK_BOT_TOKEN, or export the thread to a file."
        )
    channel, thread = found
    try:
        messages = slack_of(settings).messages(channel, thread=thread)
        return [str(one.get("text") or "") for one in islice(messages, MOST_READ)]
    except SlackError as error:
        raise words_about(error) from error


def _messages(text: str) -> list[int]:
    """Return for each line of joined messages which of them it stands in."""
    numbers, number = [], 1
    for line in text.split("\n"):
        number += line == "\f"
        numbers.append(number)
    return numbers


def _slug(stem: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", stem.casefold()).strip("-")[:60].strip("-")
    return plain if plain[:1].isalpha() else f"adopted-{plain}".strip("-")


def _write(out: Path, text: str) -> None:
    try:
        write_new(out, text.encode())
    except OSError as error:
        hint = f"Make the folder {out.parent} first." if not out.parent.exists() else ""
        raise DefinitionError(f"{out} cannot be written: {error.strerror}.", hint=hint) from error


def _lines(made: Drafted, faults: Sequence[Fault], out: Path | None) -> Iterator[str]:
    if out is None:
        yield from made.text.rstrip("\n").split("\n")
        return
    yield f"Wrote {out}. A person has to settle (line there / line of the source):"
    for one in made.questions:
        yield f"  {one.line or '-'} / {one.source_line}: {one.words}"
    for need in made.needs:
        yield f"The policy has to name {need}."
    yield f"interlock check has {_errors(faults)} fault(s) to tell until then."


def _data(made: Drafted, faults: Sequence[Fault]) -> dict[str, object]:
    return {
        "ok": True,
        "draft": made.text,
        "questions": [
            {"line": one.line or None, "source_line": one.source_line, "words": one.words}
            for one in made.questions
        ],
        "policy_needs": list(made.needs),
        "faults": [fault_data(one) for one in faults],
    }
