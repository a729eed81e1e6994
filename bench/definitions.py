"""Makes folders of workflow files of any size, each file another, and git work trees to hold them.

Every file is sound under the demo's policy and asks for other things than the others, so that
none of them is taken for a copy. The same number gives the same file.
"""

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.workflows.definition_kit import PAYS_BACK

LINES = 5_000  # What a long file is.
EACH_WITH_REFUND = 0.6  # The share of those that do something destructive.
_WORDS = "account batch branch budget city cost crew dock fleet gate invoice lane lease order part"
_WHO = ("-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false")

HEAD = """\
workflow: {name}
title: {title}
owner: "@finance-ops"
deputy: "@support-leads"
channel: "#ops"
inputs:
  order: {{type: string, pattern: "^ord_[a-z0-9]+$"}}
  amount: {{type: integer, minimum: 1}}
{inputs}
steps:
  - id: order
    uses: http.request
    with: {{service: shop, path: "/orders/${{{{ inputs.order }}}}"}}
    returns: {{body: {{paid: integer}}}}
"""
TELL = """\
  - id: {one}_told
    when: inputs.amount > {least} && inputs.{one} != "{word}"
    uses: slack.post
    with: {{channel: "#ops", text: "{word} {at}: ${{{{ inputs.{one} }}}}"}}
    timeout: {least}s
    approval: {{stages: [{{from: ["@support-leads"], approve: 1}}]}}
    undo: none
"""
LOOK = """\
  - id: {one}_found
    uses: sql.query
    with: {{database: crm, statement: "SELECT id FROM account WHERE id <> {least}"}}
    timeout: {least}s
"""
WAIT = """\
  - {{id: {one}_waited, wait: {least}s}}
"""
REFUND = f"""\
  - id: refund
    when: inputs.amount <= steps.order.output.body.paid
{PAYS_BACK}"""


def definition(number: int) -> str:
    """Return the text of the workflow with that number."""
    chance = random.Random(number)
    words = chance.sample(_WORDS.split(), 6)
    names = [f"{word}_{number}" for word in words[: chance.randint(4, 6)]]
    inputs = "\n".join(f"  {one}: {{type: string, max_length: {20 + number}}}" for one in names)
    steps = []
    for at, one in enumerate(names):
        forms = [TELL, *chance.choices([TELL, LOOK, WAIT], k=chance.randint(0, 3))]
        for form, least in zip(forms, chance.sample(range(1, 10_000), len(forms)), strict=True):
            known = {"at": at, "least": least, "word": chance.choice(words)}
            steps.append(form.format(one=one, **known).replace(f"{one}_", f"{one}_{len(steps)}_"))
    title = f"{words[0].title()} {words[1]} {number}"
    head = HEAD.format(name=f"made-{number}", title=title, inputs=inputs)
    return "".join([head, *steps, *([REFUND] if chance.random() < EACH_WITH_REFUND else [])])


def long_definition(number: int) -> str:
    """Return a workflow whose file has five thousand lines, most of them remarks."""
    text = definition(number)
    return text + "# why\n" * (LINES - text.count("\n"))


def fill(folder: Path, count: int) -> None:
    """Have a folder hold so many workflow files and nothing else."""
    for file in folder.glob("*.yaml"):
        file.unlink()
    for number in range(count):
        (folder / f"made-{number}.yaml").write_text(definition(number))


def commit_all(folder: Path, commits: int) -> None:
    """Make a folder a git work tree of so many commits, the last of which holds all its files."""
    _git(folder, "init", "-q", "-b", "main")
    _git(folder, "fast-import", "--quiet", text="".join(_stream(commits - 1)))
    _git(folder, "add", ".")
    _git(folder, "commit", "-qm", "All of it")


def _stream(commits: int) -> Iterator[str]:
    """Yield what `git fast-import` reads: a file that every commit changes."""
    for number in range(commits):
        yield f"commit refs/heads/main\ncommitter Bench <bench@example.com> {number} +0000\n"
        yield f"data 1\n.\nM 644 inline notes.txt\ndata <<END\nnumber {number}\nEND\n\n"


def _git(folder: Path, *words: str, text: str | None = None) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(
        ("git", *_WHO, "-C", str(folder), *words),
        env=environment,
        input=text,
        text=True,
        capture_output=True,
        check=True,
    )
