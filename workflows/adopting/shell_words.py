"""Splits a shell script into commands, without running, expanding or guessing anything.

Quotes, escapes, comments, continued lines, here-documents and substitutions are followed. What a
substitution holds is a command of its own, found before the one it stands in.
"""

import re
from dataclasses import dataclass, field

OPERATORS = ("&&", "||", ";;", "|&", ";", "|", "&", "\n", "(", ")")
REDIRECT = re.compile(r"(\d*|&)(>>|>\||>&|<<<|<<-|<<|<&|<>|>|<)")
# A condition or a sum by itself: what looks like a redirection there is a comparison.
_TEST = re.compile(r"\(\(.*?\)\)|\[\[\s.*?\s\]\]", re.DOTALL)
_CASE = re.compile(r"(?<![\w-])(case|esac)(?![\w-])")
_LEADS = frozenset(("if", "elif", "while", "until", "then", "do", "else", "!", "{"))
_LIST = re.compile(r"[A-Za-z_]\w*\+?=")
_NAME = re.compile(r"[A-Za-z_]\w*|[0-9@*#?]")


@dataclass(slots=True, kw_only=True)
class Word:
    """A word: its text, where `$name` stays as it is written, and what it substitutes."""

    text: str
    is_quoted: bool = False
    is_literal: bool = False  # In single quotes: nothing in it means anything.
    substitutes: bool = False


@dataclass(slots=True, kw_only=True)
class Command:
    """One command: its words, the files it writes to, and the operator behind it."""

    line: int
    words: list[Word] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)  # What here-documents give it.
    ends_with: str = ""


def commands_in(text: str) -> list[Command]:
    """Return the commands of a script in the order in which they stand."""
    return _Reader(text, 1).read()


class _Reader:
    """Reads one text from its beginning to its end."""

    def __init__(self, text: str, line: int) -> None:
        self._text = text
        self._at = 0
        self._line = line
        self._found: list[Command] = []
        self._now = Command(line=line)
        self._documents: list[tuple[str, Command]] = []

    def read(self) -> list[Command]:
        while self._at < len(self._text):
            self._step()
        self._end("")
        return self._found

    def substituted(self) -> list[Command]:
        """Return the commands whose output the text takes; the rest of it is data."""
        word = Word(text="")
        while self._at < len(self._text):
            self._inside(word)
        return self._found

    def _step(self) -> None:
        here = self._text[self._at]
        if self._text.startswith("\\\n", self._at):
            self._at += 2
            self._line += 1
        elif here in " \t\r":
            self._at += 1
        elif here == "#":
            self._skip_comment()
        elif self._begins() and (test := _TEST.match(self._text, self._at)) is not None:
            self._substitutes_in(test[0])
            self._at = test.end()
        elif (redirect := REDIRECT.match(self._text, self._at)) is not None:
            self._redirected(redirect)
        elif (sign := self._operator()) is not None:
            self._at += len(sign)
            self._end(sign)
        else:
            if not self._now.words:
                self._now.line = self._line
            self._now.words.append(self._word())

    def _begins(self) -> bool:
        """Say whether a command may begin here, after keywords or none."""
        return all(one.text in _LEADS for one in self._now.words)

    def _skip_comment(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end

    def _operator(self) -> str | None:
        return next((one for one in OPERATORS if self._text.startswith(one, self._at)), None)

    def _end(self, sign: str) -> None:
        self._now.ends_with = sign
        if self._now.words or self._now.writes or sign == ";;":
            self._found.append(self._now)
        if sign == "\n":
            self._line += 1
            self._take_documents()
        self._now = Command(line=self._line)

    def _redirected(self, match: re.Match[str]) -> None:
        self._at = match.end()
        if match[2] in ("<", ">") and self._text.startswith("(", self._at):
            self._at -= 1  # As if it were `$(`: a file that another command writes or reads.
            self._now.words.append(word := Word(text=""))
            self._substitute(self._balanced(), word)
            return
        while self._at < len(self._text) and self._text[self._at] in " \t":
            self._at += 1
        target = self._word().text
        if match[2] in ("<<", "<<-"):
            self._documents.append((target, self._now))
        elif ">" in match[2] and not _is_stream(match[2], target):
            self._now.writes.append(target)

    def _take_documents(self) -> None:
        """Give here-documents, which are data, to the commands that asked for them."""
        for mark, command in self._documents:
            lines: list[str] = []
            while self._at < len(self._text):
                end = self._text.find("\n", self._at)
                end = len(self._text) if end < 0 else end
                line = self._text[self._at : end]
                self._at, self._line = min(end + 1, len(self._text)), self._line + 1
                if line.strip() == mark:
                    break
                lines.append(line)
            command.documents.append("\n".join(lines))
        self._documents = []

    def _word(self) -> Word:
        word = Word(text="")
        while self._at < len(self._text):
            here = self._text[self._at]
            if here in " \t\r\n" or self._operator() is not None or here in "<>":
                break
            self._part(here, word)
        if _LIST.fullmatch(word.text) and self._text.startswith("(", self._at):
            self._at -= 1  # As if it were `$(`: what stands in a list are words, no commands.
            self._substitutes_in(self._balanced())
            word.substitutes = True
        return word

    def _part(self, here: str, word: Word) -> None:
        if here == "'":
            word.text += self._until("'")
            word.is_quoted = word.is_literal = True
        elif self._text.startswith("$'", self._at):
            self._at += 1
            word.text += self._until("'", escapes=True)
            word.is_quoted = word.is_literal = True
        elif here == '"':
            self._at += 1
            word.is_quoted = True
            while self._at < len(self._text) and self._text[self._at] != '"':
                self._inside(word)
            self._at += 1
        else:
            self._inside(word)

    def _inside(self, word: Word) -> None:
        """Take one sign, an escape, a variable or a substitution."""
        here = self._text[self._at]
        if here == "\\" and self._at + 1 < len(self._text):
            after = self._text[self._at + 1]
            self._line += after == "\n"
            word.text += "" if after == "\n" else after
            self._at += 2
        elif self._text.startswith("$((", self._at):
            self._substitutes_in(self._balanced())
            word.text += "$(…)"
            word.substitutes = True
        elif self._text.startswith("$(", self._at):
            self._substitute(self._balanced(), word)
        elif here == "`":
            self._substitute(self._until("`", escapes=True).replace("\\`", "`"), word)
        elif self._text.startswith("${", self._at):
            self._expand(word)
        elif here == "$" and (variable := _NAME.match(self._text, self._at + 1)) is not None:
            word.text += f"${{{variable[0]}}}"
            self._at = variable.end()
        else:
            self._line += here == "\n"
            word.text += here
            self._at += 1

    def _substitute(self, inner: str, word: Word) -> None:
        word.substitutes = True
        word.text += "$(…)"
        self._found += _Reader(inner, self._line).read()
        self._line += inner.count("\n")

    def _expand(self, word: Word) -> None:
        """Take a variable in braces; what stands for it where it is unset may be a command's."""
        start = self._at + 2
        self._at = _behind_brace(self._text, start)
        inner = self._text[start : max(start, self._at - 1)]
        name = _NAME.match(inner)
        word.text += f"${{{inner if name is None else name[0]}}}"
        self._substitutes_in(inner)

    def _substitutes_in(self, data: str) -> None:
        self._found += _Reader(data, self._line).substituted()
        self._line += data.count("\n")

    def _until(self, quote: str, *, escapes: bool = False) -> str:
        end = self._at + 1
        while end < len(self._text) and self._text[end] != quote:
            end += 2 if escapes and self._text[end] == "\\" else 1
        inner = self._text[self._at + 1 : end]
        if quote == "'":
            self._line += inner.count("\n")
        self._at = end + 1
        return inner

    def _balanced(self) -> str:
        """Return what stands in `$(…)`."""
        start = self._at + 2
        self._at = _behind_bracket(self._text, start)
        return self._text[start : max(start, self._at - 1)]


def _is_stream(sign: str, target: str) -> bool:
    """Say whether what is written to is no file: another stream, or nothing at all."""
    return target == "/dev/null" or (sign == ">&" and (target.isdigit() or target == "-"))


def _behind_bracket(text: str, at: int) -> int:
    """Return the place behind the bracket that closes what `at` stands in.

    Brackets, quotes and patterns of a case are followed.
    """
    depth, cases = 1, list[int]()  # How deep each open case stands: a pattern closes no bracket.
    while at < len(text) and depth:
        here = text[at]
        if here == "\\":
            at += 1
        elif here == "'":
            end = text.find("'", at + 1)
            at = len(text) if end < 0 else end
        elif here == '"':
            at = _quote_behind(text, at + 1)
        elif (word := _CASE.match(text, at)) is not None:
            cases = [*cases, depth] if word[0] == "case" else cases[:-1]
            at += len(word[0]) - 1
        elif here == "(" or (here == ")" and (not cases or cases[-1] != depth)):
            depth += 1 if here == "(" else -1
        at += 1
    return at


def _behind_brace(text: str, at: int) -> int:
    """Return the place behind the brace that closes what `at` stands in."""
    while at < len(text) and text[at] != "}":
        if text[at] == "\\":
            at += 2
        elif text[at] == '"':
            at = _quote_behind(text, at + 1) + 1
        elif text.startswith("${", at):
            at = _behind_brace(text, at + 2)
        elif text.startswith("$(", at):
            at = _behind_bracket(text, at + 2)
        else:
            at += 1
    return at + 1


def _quote_behind(text: str, at: int) -> int:
    """Return the place of the double quote that closes what `at` stands in."""
    while at < len(text) and text[at] != '"':
        if text[at] == "\\":
            at += 2
        elif text.startswith("$(", at):
            at = _behind_bracket(text, at + 2)
        else:
            at += 1
    return at
