"""Reads a shell script: what it does, in order, guessed to be as grave as it may be."""

import re
from collections.abc import Sequence
from dataclasses import replace

from workflows.actions.base import Effect
from workflows.adopting.curl import curl
from workflows.adopting.found import ByHand, Doing, Pause, Program, Script, too_deep
from workflows.adopting.programs import READS, WRAPPERS, WRAPPERS_TAKING, effect_of_program
from workflows.adopting.requests import SHELLS_OF_DATABASES, database_of, database_shell, sql
from workflows.adopting.shell_words import Command, Word, commands_in
from workflows.adopting.values import VARIABLE, Values, braced

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=(.*)", re.DOTALL)
_OPENS = {
    "for": "done",
    "while": "done",
    "until": "done",
    "select": "done",
    "if": "fi",
    "case": "esac",
}
_SECONDS = re.compile(r"(\d+)([smhd]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ksh"})
_DEEPEST = 5


def read_shell(text: str) -> Script:
    """Return what a shell script does. Its secrets have been taken out before.

    Raises:
        DefinitionError: it is nested so deep that it cannot be read.
    """
    reader = _Reader()
    try:
        reader.take(commands_in(text))
    except RecursionError as error:
        raise too_deep() from error
    return Script(
        doings=tuple(reader.doings),
        inputs=tuple(reader.values.inputs),
        left_out=tuple(reader.left_out),
    )


class _Reader:
    def __init__(self, depth: int = 0) -> None:
        self.values = Values()
        self.doings: list[Doing] = []
        self.left_out: list[tuple[int, str]] = []
        self._around: list[tuple[str, str]] = []  # What each block is closed by, and how it began.
        self._functions: set[str] = set()
        self._depth = depth
        self._is_piped = False
        self._expects_pattern = False

    def take(self, commands: Sequence[Command]) -> None:
        for command in commands:
            before = len(self.doings)
            self._take(command)
            self._ask_about_pipe(command, before)

    def _ask_about_pipe(self, command: Command, before: int) -> None:
        self._is_piped = command.ends_with in ("|", "|&")
        if self._is_piped and len(self.doings) > before:
            last = self.doings[-1]
            asked = (*last.open, "what it wrote went into the next command")
            self.doings[-1] = replace(last, open=asked)

    def _take(self, command: Command) -> None:
        words = self._without_keywords(command)
        if len(words) == 1 and command.ends_with == "(":
            self._functions.add(words[0].text)
            return
        if self._is_pattern(command):
            return
        words = self._without_assignments(words)
        bare = self._without_wrappers(words)
        if bare:
            is_program = any(one.text == "command" for one in words[: len(words) - len(bare)])
            self._doing(command, bare, is_program=is_program)
        else:
            self._write_to(command, [])

    def _is_pattern(self, command: Command) -> bool:
        """Say whether a command is only a pattern of a case: behind its head, or behind `;;`."""
        in_case = bool(self._around) and self._around[-1][0] == "esac"
        is_pattern = in_case and self._expects_pattern and bool(command.words)
        if is_pattern and command.ends_with == ")":
            self._expects_pattern = False
        if in_case and command.ends_with == ";;":
            self._expects_pattern = True
        return is_pattern

    def _without_keywords(self, command: Command) -> list[Word]:
        words = list(command.words)
        while words and not words[0].is_quoted:
            first = words[0].text
            if self._around and first == self._around[-1][0]:
                self._around.pop()
                self._expects_pattern = False
            elif first in _OPENS:
                told = " ".join(one.text for one in words)
                self._around.append((_OPENS[first], f"{told} (line {command.line})"))
                self._expects_pattern = first == "case"
                if first in ("for", "case", "select"):
                    return []
            elif first == "function":
                words = words[1:]
                self._functions.add(words[0].text if words else "")
            elif first not in ("then", "do", "else", "elif", "{", "}", "!"):
                break
            words = words[1:]
        return words

    def _without_assignments(self, words: list[Word]) -> list[Word]:
        while words and (match := _ASSIGNMENT.fullmatch(words[0].text)) is not None:
            self._assign(match, words[0])
            words = words[1:]
        if words and words[0].text in ("export", "local", "readonly", "declare"):
            for one in words[1:]:
                match = _ASSIGNMENT.fullmatch(one.text)
                if match is not None:
                    self._assign(match, one)
        return words

    def _assign(self, match: re.Match[str], word: Word) -> None:
        """Take note of a value; what is set under a condition may be something else."""
        is_known = not word.substitutes and not self._around
        self.values.assign(match[1], match[2] if is_known else None)

    def _without_wrappers(self, words: list[Word]) -> list[Word]:
        while words and words[0].text in (*WRAPPERS, "env", "timeout"):
            wrapper, words = words[0].text, words[1:]
            taking = WRAPPERS_TAKING.get(wrapper, ())
            while words and (words[0].text.startswith("-") or "=" in words[0].text):
                words = words[2 if words[0].text in taking else 1 :]
            if wrapper == "timeout":
                words = words[1:]
        return words

    def _doing(self, command: Command, words: list[Word], *, is_program: bool) -> None:
        asked: list[str] = []
        name = words[0].text.rpartition("/")[2]
        args = [self._filled(one, asked) for one in words[1:]]
        if any(one.substitutes for one in words):
            asked.append("a part of it was worked out by another command: $(…)")
        asked += [f"it stood under: {how}" for _, how in self._around]
        ends = args[0] if name == "trap" and len(args) > 1 else ""
        if (name in self._functions and not is_program) or ends in self._functions:
            self.left_out.append((command.line, f"calls its own function {ends or name}"))
        elif name in _SHELLS and "-c" in args[:-1]:
            self._inside(command, args[args.index("-c") + 1], asked)
        elif ends and not ends.startswith("-"):
            self._inside(command, ends, asked)
        elif name in (*_SHELLS, "ssh") and command.documents:
            self._inside(command, "\n".join(command.documents), asked)
        elif VARIABLE.search(name):
            what = f"start what {name} names"
            self._add(command, ByHand(words=what), Effect.DESTRUCTIVE, asked)
        elif name == "eval" or name in ("source", "."):
            what = f"{name} of something that is not to be seen here"
            self._add(command, ByHand(words=what), Effect.DESTRUCTIVE, asked)
        else:
            self._program(command, name, args, asked)
        self._write_to(command, asked)

    def _filled(self, word: Word, asked: list[str]) -> str:
        return word.text if word.is_literal else self.values.filled(word.text, asked)

    def _inside(self, command: Command, text: str, asked: Sequence[str]) -> None:
        """Read what a shell is given as a text."""
        if self._depth == _DEEPEST:
            self._add(command, ByHand(words="a shell within shells"), Effect.DESTRUCTIVE, [])
            return
        inner = _Reader(self._depth + 1)
        inner.take(commands_in(text))
        self.doings += [
            replace(one, line=command.line, open=(*asked, *one.open)) for one in inner.doings
        ]
        self.left_out += [(command.line, what) for _, what in inner.left_out]
        self.values.inputs |= inner.values.inputs

    def _program(self, command: Command, name: str, args: list[str], asked: list[str]) -> None:
        found = self._special(command, name, args, asked)
        if found:
            self.doings += found
            return
        if name == "ssh":
            asked.append("it ran on another machine")
        effect = effect_of_program(name, args)
        is_filter = self._is_piped and effect is Effect.READ and name in (*READS, "sed")
        is_echo = name == "cat" and not args  # Of a here-document, or of what came before.
        if effect is None or is_filter or is_echo:
            self.left_out.append((command.line, name))
            return
        if effect is Effect.DESTRUCTIVE and not args:
            asked.append("what it does is not to be seen")
        self._add(command, Program(name=name, args=tuple(args)), effect, asked)

    def _special(
        self, command: Command, name: str, args: list[str], asked: list[str]
    ) -> list[Doing]:
        """Return what has an action of its own, nothing where that cannot be told."""
        if name in ("curl", "wget"):
            return curl(name, command.line, args, asked)
        if name in SHELLS_OF_DATABASES:
            return self._statements(command, name, args, asked)
        length = _SECONDS.fullmatch(args[0]) if name == "sleep" and len(args) == 1 else None
        if length is None:
            return []
        work = Pause(seconds=max(1, int(length[1]) * _UNITS[length[2]]))
        return [Doing(line=command.line, work=work, effect=Effect.READ, open=tuple(asked))]

    def _statements(
        self, command: Command, name: str, args: list[str], asked: list[str]
    ) -> list[Doing]:
        """Return the statements that a database's shell is given."""
        found = database_shell(command.line, name, args, asked)
        texts = (one.strip() for text in command.documents for one in text.split(";"))
        statements = [self.values.filled(braced(one), asked) for one in texts if one]
        if found is not None:
            return [found]
        place = database_of(name, args)
        return [sql(command.line, place, one, asked) for one in statements]

    def _write_to(self, command: Command, asked: list[str]) -> None:
        for target in command.writes:
            filled = self.values.filled(target, asked)
            work = ByHand(words=f"write to the file {filled}")
            self._add(command, work, Effect.DESTRUCTIVE, asked)

    def _add(
        self, command: Command, work: Program | ByHand, effect: Effect, asked: Sequence[str]
    ) -> None:
        self.doings.append(
            Doing(line=command.line, work=work, effect=effect, open=tuple(dict.fromkeys(asked)))
        )
