"""Reads a Python script by its syntax tree: the calls that reach outside, in order of their lines.

Nothing is imported or run. Values that only running would tell become inputs; a call of a
library that is not known here is asked about.
"""

import ast
import re
import shlex
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace

from workflows.actions.base import Effect
from workflows.adopting.found import ByHand, Doing, Http, Pause, Program, Script, too_deep
from workflows.adopting.programs import effect_of_program
from workflows.adopting.python_calls import (
    EXECUTES,
    REMOVES,
    RUNS,
    SENDERS,
    SHELLS,
    guess,
    is_grave,
)
from workflows.adopting.python_texts import Texts
from workflows.adopting.requests import METHODS, request, sql
from workflows.adopting.shell_script import read_shell
from workflows.adopting.values import Values
from workflows.entry import Json
from workflows.errors import DefinitionError

_LENGTHENS = frozenset({"append", "extend", "insert"})
_NO_ACTION = "no action does this yet; use one, or leave it to a person"
_EXPRESSION = re.compile(r"\$\{\{ inputs\.([a-z0-9_]+) \}\}")


def read_python(text: str) -> Script:
    """Return what a Python script does. Its secrets have been taken out before.

    Raises:
        DefinitionError: it is no Python of this version, or nested so deep that it cannot be
            read.
    """
    try:
        tree = _tree(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None) or 1
        raise DefinitionError(f"Line {line} is no Python: {error}.") from error
    reader = _Reader()
    try:
        reader.visit(tree)
    except RecursionError as error:
        raise too_deep() from error
    return Script(
        doings=tuple(sorted(reader.doings, key=lambda one: one.line)),
        inputs=tuple(reader.values.inputs),
        left_out=tuple(reader.left_out),
    )


def _tree(text: str) -> ast.Module:
    """Return the tree of a script; what Python would advise its author is not for who reads it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


class _Reader(ast.NodeVisitor):
    def __init__(self) -> None:
        self.values = Values()
        self._texts = Texts(self.values)
        self.doings: list[Doing] = []
        self.left_out: list[tuple[int, str]] = []
        self._names: dict[str, str] = {}  # What each imported name is in full.
        self._opened: list[str] = []  # Modules all of whose names are imported.
        self._around: list[str] = []
        self._called: set[int] = set()  # Names that are called where they stand.
        # What names were last set to, and under what.
        self._lists: dict[str, tuple[ast.expr, list[str]]] = {}

    def visit_Import(self, node: ast.Import) -> None:
        for one in node.names:
            name = one.asname or one.name.partition(".")[0]
            self._names[name] = one.name if one.asname else name

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for one in node.names:
            if one.name == "*":
                self._opened.append(f"{node.module or ''}.")
            self._names[one.asname or one.name] = f"{node.module or ''}.{one.name}"

    def visit_Assign(self, node: ast.Assign) -> None:
        name = self._full_name(node.value)
        if is_grave(name):
            self._called.add(id(node.value))  # By the name that it is given here.
        self.generic_visit(node)
        for target in node.targets:
            if isinstance(target, ast.Name):
                if is_grave(name):
                    self._names[target.id] = name
                # What is set under a condition may be something else.
                self.values.assign(target.id, None if self._around else _constant(node.value))
                self._lists[target.id] = node.value, [*self._around]

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            self.values.assign(node.target.id, None)
            self._lists.pop(node.target.id, None)

    def visit_If(self, node: ast.If) -> None:
        is_main = "__name__" in ast.unparse(node.test)
        self._within(node, "" if is_main else f"if {ast.unparse(node.test)}")

    def visit_For(self, node: ast.For) -> None:
        self._within(node, f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}")

    def visit_While(self, node: ast.While) -> None:
        self._within(node, f"while {ast.unparse(node.test)}")

    def visit_Try(self, node: ast.Try) -> None:
        self._within(node, "try")

    def _within(self, node: ast.stmt, how: str) -> None:
        if how:
            self._around.append(f"{how} (line {node.lineno})")
        self.generic_visit(node)
        if how:
            self._around.pop()

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        self._handed_on(node)

    def visit_Name(self, node: ast.Name) -> None:
        self._handed_on(node)

    def _handed_on(self, node: ast.Attribute | ast.Name) -> None:
        """Ask about a function that is given to others to call."""
        name = self._full_name(node)
        if id(node) not in self._called and is_grave(name):
            work = ByHand(words=f"what {name}, handed on in line {node.lineno} of the script, did")
            asked = (*(f"it stood under: {one}" for one in self._around), _NO_ACTION)
            effect = Effect.DESTRUCTIVE
            self.doings.append(Doing(line=node.lineno, work=work, effect=effect, open=asked))

    def visit_Call(self, node: ast.Call) -> None:
        self._called.add(id(node.func))
        self.generic_visit(node)  # What stands inside happens first.
        asked = [f"it stood under: {one}" for one in self._around]
        name = self._full_name(node.func)
        of, _, method = name.rpartition(".")
        if method in _LENGTHENS:
            self._lists.pop(of, None)
        for doing in self._doings(node, name, asked):
            self.doings.append(doing)

    def _full_name(self, node: ast.expr) -> str:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            parts.append(self._names.get(node.id) or self._of_opened(node.id))
        elif isinstance(node, ast.Call):
            parts.append(f"{self._full_name(node.func)}()")
        return ".".join(reversed(parts))

    def _of_opened(self, name: str) -> str:
        return next((f"{one}{name}" for one in self._opened if is_grave(f"{one}{name}")), name)

    def _doings(self, node: ast.Call, name: str, asked: list[str]) -> Iterator[Doing]:
        line, last = node.lineno, name.rpartition(".")[2]
        if name in SHELLS:
            yield from self._shell(line, self._texts.text(_started(node), asked), asked)
        elif name in RUNS:
            yield from self._run(node, asked)
        elif name == "time.sleep":
            yield self._sleep(node, asked)
        elif last in (*map(str.lower, METHODS), "request") and self._is_http(name, node):
            yield self._http(node, last, asked)
        elif last in EXECUTES:
            yield self._sql(node, asked)
        else:
            yield from self._other(node, name, asked)

    def _is_http(self, name: str, node: ast.Call) -> bool:
        first = name.partition(".")[0].casefold().removesuffix("()")
        if first in SENDERS or "session" in name.casefold():
            return True
        return (
            "/" in self._texts.text(_first(node), [])
            and "." in name
            and first not in ("os", "shutil")
        )

    def _http(self, node: ast.Call, last: str, asked: list[str]) -> Doing:
        given = list(node.args)
        method = last.upper()
        if last == "request" and given:
            method, given = self._texts.text(given[0], asked).upper(), given[1:]
        url = given[0] if given else _keyword(node, "url")
        for name, what in (("headers", "headers"), ("auth", "credentials"), ("files", "files")):
            if _keyword(node, name) is not None:
                asked.append(f"it sent {what}; say so in the policy (secret_header)")
        bodies = (_keyword(node, name) for name in ("json", "data", "content"))
        data = next((one for one in bodies if one is not None), None)
        found = request(node.lineno, method, self._texts.text(url, asked), "", asked)
        return _with_body(found, self._texts.json(data, asked)) if data is not None else found

    def _sql(self, node: ast.Call, asked: list[str]) -> Doing:
        statement = _first(node)
        if isinstance(statement, ast.Call) and statement.args:  # text("…")
            statement = statement.args[0]
        text = self._texts.text(statement, asked)
        if isinstance(statement, ast.JoinedStr | ast.BinOp):
            asked.append("the statement was put together from texts; give values as parameters")
        if len(node.args) > 1:
            text = self._texts.statement(text, node.args[1], asked)
        return sql(node.lineno, "", text, asked)

    def _run(self, node: ast.Call, asked: list[str]) -> Iterator[Doing]:
        first = _started(node)
        if isinstance(first, ast.Name):
            first = self._set_to(first)
        if isinstance(first, ast.Call) and isinstance(first.func, ast.Attribute | ast.Name):
            # shlex.split("…") and "…".split() give the words of what they split.
            is_method = isinstance(first.func, ast.Attribute) and not first.args
            first = first.func.value if is_method else _first(first)  # type: ignore[union-attr]  # Only an attribute is a method.
        if isinstance(first, ast.List | ast.Tuple):
            given = [self._texts.text(one, asked) for one in first.elts]
            yield from self._program(node.lineno, given, asked)
            return
        text = self._texts.text(first, asked)
        if _is_true(_keyword(node, "shell")):
            yield from self._shell(node.lineno, text, asked)
            return
        yield from self._program(node.lineno, _split(text), asked)

    def _set_to(self, name: ast.Name) -> ast.expr:
        """Return what a name was set to, the name where that may be something else here."""
        found, around = self._lists.get(name.id, (name, []))
        return found if self._around[: len(around)] == around else name

    def _program(self, line: int, given: Sequence[str], asked: list[str]) -> Iterator[Doing]:
        if not given or given[0].startswith("${{"):
            unseen = ByHand(words="start a program that is not to be seen here")
            yield Doing(line=line, work=unseen, effect=Effect.DESTRUCTIVE, open=tuple(asked))
            return
        name, args = given[0].rpartition("/")[2], tuple(given[1:])
        if name in ("curl", "wget", "psql", "mysql", "sqlite3", "bash", "sh", "sudo", "env"):
            yield from self._shell(line, shlex.join(given), asked)
            return
        effect = effect_of_program(name, args)
        if effect is not None:
            work = Program(name=name, args=args)
            yield Doing(line=line, work=work, effect=effect, open=tuple(asked))

    def _shell(self, line: int, text: str, asked: list[str]) -> Iterator[Doing]:
        inner = read_shell(_EXPRESSION.sub(r"${\1}", text))
        self.values.inputs |= dict.fromkeys(inner.inputs)
        for one in inner.doings:
            yield Doing(line=line, work=one.work, effect=one.effect, open=(*asked, *one.open))

    def _sleep(self, node: ast.Call, asked: list[str]) -> Doing:
        first = _first(node)
        value = first.value if isinstance(first, ast.Constant) else 0
        seconds = int(value) if isinstance(value, int | float) else 0
        if not seconds:
            asked.append("how long it waited is not to be seen")
        work = Pause(seconds=max(1, seconds))
        return Doing(line=node.lineno, work=work, effect=Effect.READ, open=tuple(asked))

    def _other(self, node: ast.Call, name: str, asked: list[str]) -> Iterator[Doing]:
        if name in REMOVES:
            given = [self._texts.text(one, asked) for one in node.args[:1]]
            asked = [*asked, f"it was {name}, and this program is a guess"]
            yield from self._program(node.lineno, [*REMOVES[name], *given], asked)
            return
        effect = guess(node, name, self._names.values())
        if effect is None:
            return
        if effect is Effect.READ:
            self.left_out.append((node.lineno, f"{name}(…), which seems to read"))
            return
        # The call itself is not repeated: what stands in it may be anybody's.
        work = ByHand(words=f"what {name or 'a call'}(…) in line {node.lineno} of the script did")
        asked = [*asked, _NO_ACTION]
        yield Doing(line=node.lineno, work=work, effect=effect, open=tuple(asked))


def _with_body(found: Doing, body: Json) -> Doing:
    work = found.work
    return replace(found, work=replace(work, body=body)) if isinstance(work, Http) else found


def _first(node: ast.Call) -> ast.expr | None:
    return node.args[0] if node.args else None


def _started(node: ast.Call) -> ast.expr | None:
    """Return what a call starts, which may be named."""
    names = ("args", "command", "cmd")
    return _first(node) or next((one for name in names if (one := _keyword(node, name))), None)


def _keyword(node: ast.Call, name: str) -> ast.expr | None:
    return next((one.value for one in node.keywords if one.arg == name), None)


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _constant(node: ast.expr) -> str | None:
    return (
        str(node.value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str | int)
        else None
    )


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
