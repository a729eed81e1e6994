"""What was found in a script as a draft: a workflow file with the questions a person has to settle.

Each question stands as `# TODO(person): …` above the step that it is about, and all of them once
more at the end, with their lines here and there.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflows.actions.base import Effect
from workflows.adopting.found import ByHand, Doing, Http, Pause, Program, Script, Sql
from workflows.adopting.requests import host_of
from workflows.adopting.secrets import MARK
from workflows.definition_parts import RESERVED
from workflows.drafting.yaml_text import yaml_lines
from workflows.entry import Json

TODO = "# TODO(person): "
FOLDER = "work"
LONGEST_TITLE = 100
LONGEST_WORDS = 300
PART = "^[A-Za-z0-9_][A-Za-z0-9_.@:-]*$"  # Of a path: no slash, and not only dots.
ARGUMENT = "^[A-Za-z0-9_./@:][A-Za-z0-9_./@:=,-]*$"  # Never read as an option.
_EXPRESSION = re.compile(r"\$\{\{ inputs\.([a-z0-9_]+) \}\}")
_UNPROVEN = "say how it shows that this happened (verify), and what takes it back (undo)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What stands at the top of a draft. `model` is the language model that had a say in it."""

    workflow: str
    title: str
    owner: str
    deputy: str
    source: str
    description: str = ""
    model: str = ""
    is_titled_by_model: bool = False

    @property
    def by_model(self) -> str:
        """Return how the model's words are marked."""
        return f"🤖 {self.model}: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something a person has to settle: its line in the draft, that of the source, in words."""

    line: int
    source_line: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A draft and its open questions."""

    text: str
    questions: tuple[Question, ...]
    needs: tuple[str, ...]  # What the policy has to name.


def drafted(script: Script, heading: Heading) -> Drafted:
    """Return a draft of what `script` does."""
    return _Writer(script, heading).write()


class _Writer:
    def __init__(self, script: Script, heading: Heading) -> None:
        self._script = script
        self._heading = heading
        self._lines: list[str] = []
        self._questions: list[Question] = []
        self._names: Counter[str] = Counter()

    def write(self) -> Drafted:
        self._head()
        self._inputs()
        if self._script.found_order:
            order = ", ".join(map(str, self._script.found_order))
            self._lines.append(f"# {self._heading.by_model}in this order, found as {order}")
        self._lines.append("steps:")
        for doing in self._script.doings:
            self._step(doing)
        if not self._script.doings:
            self._ask("nothing was found that a workflow could do; write its first step", 1, "  ")
            self._lines += yaml_lines_of(
                _by_hand("nobody", "do what the script did", self._heading)
            )
        for line, name in self._script.secrets:
            words = (
                f"a secret stood there; keep it as {name}, and change it, since it was in a file"
            )
            self._questions.append(Question(line=0, source_line=line, words=words))
        needs = tuple(dict.fromkeys(_needs(self._script.doings)))
        self._end(needs)
        questions = tuple(sorted(self._questions, key=lambda one: (one.source_line, one.line)))
        return Drafted(text="\n".join((*self._lines, "")), questions=questions, needs=needs)

    def _head(self) -> None:
        heading = self._heading
        self._lines.append(
            f"# A draft of {heading.source}. What it guesses is the worst that it could be."
        )
        if heading.model:
            self._ask("a language model had a say: see whether what 🤖 marks is right", 1, "")
        self._lines += yaml_lines({"workflow": heading.workflow})
        if heading.is_titled_by_model:
            self._lines.append(f"# {heading.by_model}the title")
        self._lines += yaml_lines({"title": heading.title})
        if heading.description:
            words = f"{heading.by_model}{heading.description}"
            self._lines += yaml_lines({"description": words})
        if heading.owner.startswith("@todo"):
            self._ask("name who answers for it, and who does when they are away", 1, "")
        self._lines += yaml_lines({"owner": heading.owner, "deputy": heading.deputy})

    def _inputs(self) -> None:
        used = {name for one in self._script.doings for name in _EXPRESSION.findall(str(one.work))}
        names = [one for one in self._script.inputs if one in used]
        if not names:
            return
        in_paths = {
            name
            for one in self._script.doings
            if isinstance(one.work, Http)
            for name in _EXPRESSION.findall(one.work.path)
        }
        self._lines.append("inputs:")
        for name in names:
            self._ask(f"say what {name} is, and which values it may have", 1, "  ")
            shape = dict(self._script.shapes.get(name, {}))
            if shape:
                self._lines.append(f"  # {self._heading.by_model}{_shape_words(shape)}")
            plain: dict[str, Json] = {
                "type": "string",
                "title": name.replace("_", " ").capitalize(),
                "pattern": PART if name in in_paths else ARGUMENT,
                "max_length": 200,
            }
            if "type" in shape:
                plain = {"type": shape["type"], "title": plain["title"]}
            self._lines += yaml_lines({name: {**plain, **shape}}, "  ")

    def _ask(self, words: str, source_line: int, indent: str, *, of: str = "") -> None:
        self._lines.append(f"{indent}{TODO}{of}{words}")
        self._questions.append(
            Question(line=len(self._lines), source_line=source_line, words=words)
        )

    def _step(self, doing: Doing) -> None:
        for words in dict.fromkeys((*doing.open, *_own_questions(doing))):
            self._ask(_one_line(words), doing.line, "  ", of=f"line {doing.line}: ")
        words = ": ".join(one for one in (doing.called, doing.said) if one)
        if words:
            self._lines.append(f"  # {self._heading.by_model}{words}")
        name = self._name(doing)
        self._lines += yaml_lines_of(_made(doing, name, self._heading))

    def _name(self, doing: Doing) -> str:
        plain = re.sub(r"[^a-z0-9]+", "_", _called(doing).casefold()).strip("_")[:40]
        plain = (
            plain
            if plain and plain[0].isalpha() and plain not in RESERVED
            else f"step_{plain}".strip("_")
        )
        self._names[plain] += 1
        return plain if self._names[plain] == 1 else f"{plain}_{self._names[plain]}"

    def _end(self, needs: Sequence[str]) -> None:
        self._lines += ["", "# Open, with lines here and in the source:"]
        for one in sorted(self._questions, key=lambda each: (each.source_line, each.line)):
            self._lines.append(f"#   {one.line or '-'} / {one.source_line}: {_one_line(one.words)}")
        for line, what in self._script.left_out:
            self._lines.append(f"#   - / {line}: left out: {_one_line(what)}")
        self._lines += [f"# The policy has to name {one}." for one in needs]


def _shape_words(shape: Mapping[str, Json]) -> str:
    return ", ".join(f"{name} {one}" for name, one in shape.items() if name in ("title", "type"))


def yaml_lines_of(step: dict[str, Json]) -> Iterator[str]:
    """Yield a step as an item of the list of steps."""
    first, *others = yaml_lines(step, "    ")
    yield f"  - {first.strip()}"
    yield from others


def _own_questions(doing: Doing) -> Iterator[str]:
    if isinstance(doing.work, ByHand):
        return
    if doing.effect is Effect.DESTRUCTIVE:
        yield _UNPROVEN
    elif doing.effect is not Effect.READ:
        yield "say what takes it back (undo)"
    if isinstance(doing.work, Program) and doing.effect is Effect.READ:
        yield "have the policy say that this only looks (reads), or people are asked"


def _made(doing: Doing, name: str, heading: Heading) -> dict[str, Json]:
    match doing.work:
        case Pause(seconds=seconds):
            return {"id": name, "wait": f"{seconds}s"}
        case ByHand(words=words):
            return _by_hand(name, words, heading)
    uses, given = _work(doing)
    made: dict[str, Json] = {"id": name, "title": shown_as(doing), "uses": uses, "with": given}
    if doing.effect is Effect.DESTRUCTIVE:
        stages: list[Json] = [{"from": [heading.deputy], "approve": 1}]
        made |= {"effect": "destructive", "approval": {"stages": stages, "expires": "24h"}}
    return made


def _work(doing: Doing) -> tuple[str, dict[str, Json]]:
    match doing.work:
        case Program(name=name, args=args):
            return "shell.run", {"program": _plain(name), "folder": FOLDER, "args": [*args]}
        case Http() as call:
            given: dict[str, Json] = {"service": _service(call.base)}
            given |= {} if call.method == "GET" else {"method": call.method}
            given["path"] = _path(call.path)
            return "http.request", given if call.body is None else {**given, "json": call.body}
        case Sql() as call:
            uses = "sql.query" if doing.effect is Effect.READ else "sql.execute"
            given = {"database": call.database, "statement": call.statement}
            return uses, {
                **given,
                "parameters": dict(call.parameters),
            } if call.parameters else given
    raise AssertionError(doing)


def _by_hand(name: str, words: str, heading: Heading) -> dict[str, Json]:
    """Return a step that has somebody do it and say so."""
    fields: dict[str, Json] = {"done": {"type": "boolean", "title": "It is done"}}
    question = f"Please do by hand: {_cut(_shown(words), LONGEST_WORDS)}"
    return {"id": name, "ask": {"of": [heading.deputy], "question": question, "fields": fields}}


def _called(doing: Doing) -> str:
    if doing.called:
        return doing.called
    match doing.work:
        case Program(name=name, args=args):
            word = next((one for one in args if re.fullmatch(r"[a-z][a-z-]*", one)), "")
            return f"{name}_{word}"
        case Http(method=method, base=base):
            return f"{method}_{host_of(base).partition('.')[0] or 'service'}"
        case Sql(statement=statement):
            return "_".join(statement.split()[:1])
        case Pause():
            return "pause"
    return "by_hand"


def shown_as(doing: Doing) -> str:
    """Return what a step does in one line, as the source has it."""
    match doing.work:
        case Program(name=name, args=args):
            words = f"{name} {' '.join(args)}"
        case Http() as call:
            words = f"{call.method} {call.path}"
        case Sql() as call:
            words = call.statement
        case _:
            words = ""
    return _cut(_shown(words).strip() or "A step", LONGEST_TITLE)


def _shown(words: str) -> str:
    return _one_line(_EXPRESSION.sub(lambda one: f"({one[1]})", words))


def _one_line(words: str) -> str:
    return " ".join(words.split())


def _cut(words: str, longest: int) -> str:
    return words if len(words) <= longest else f"{words[: longest - 1].rstrip()}…"


def _path(path: str) -> str:
    return re.sub(r"\s+(?![^{]*\}\})", "%20", path) if "${{" in path else path.replace(" ", "%20")


def _service(base: str) -> str:
    return _plain(host_of(base)) if base else "service"


def _plain(name: str) -> str:
    plain = re.sub(r"[^a-z0-9_-]+", "-", name.casefold()).strip("-_")
    return plain if plain[:1].isalpha() else f"x-{plain}".strip("-")


def _needs(doings: Sequence[Doing]) -> Iterator[str]:
    for one in doings:
        match one.work:
            case Program(name=name):
                yield f"the program {_plain(name)} with a folder {FOLDER} (programs)"
            case Http(base=base):
                where = f" at {base}" if base and MARK not in base else ""
                yield f"the service {_service(base)}{where} (services)"
            case Sql(database=database):
                yield f"the database {database} (databases)"
