"""The results of tests as JUnit XML, which build servers read."""

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from bot.rehearsal.testing import Result
from workflows.fault import written

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def junit(results: Sequence[Result]) -> str:
    """Return one suite for each file, in the order of the results."""
    files = list(dict.fromkeys(one.file for one in results))
    suites = [_suite(file, [one for one in results if one.file == file]) for file in files]
    return "\n".join((HEAD, "<testsuites>", *suites, "</testsuites>", ""))


def _suite(file: str, results: Sequence[Result]) -> str:
    failed = sum(not one.is_passed for one in results)
    seconds = sum(one.seconds for one in results)
    head = (
        f'<testsuite name={quoteattr(file)} tests="{len(results)}" failures="{failed}"'
        f' errors="0" time="{seconds:.3f}">'
    )
    return "\n".join((head, *map(_case, results), "</testsuite>"))


def _case(one: Result) -> str:
    head = (
        f"<testcase classname={_attribute(one.workflow)} name={_attribute(one.name)}"
        f' file={_attribute(one.file)} line="{one.line}" time="{one.seconds:.3f}"'
    )
    if one.is_passed:
        return f"{head}/>"
    told = "\n".join(
        [
            *(
                f"line {line}: {written(each.path)}: expected {each.expected}, found {each.found}"
                for line, each in one.differences
            ),
            *(f"{name} failed: {words}" for name, words in one.said.items() if words),
        ]
    )
    return f"{head}>\n<failure message={_attribute(told)}/>\n</testcase>"


def _attribute(text: str) -> str:
    """Return `text` as an attribute; what XML cannot hold is written as a question mark."""
    kept = "".join(one if one.isprintable() or one in "\n\t" else "?" for one in text)
    return quoteattr(kept, {"\n": "&#10;", "\t": "&#9;"})
