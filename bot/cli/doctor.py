"""`interlock doctor`: look at everything a bot needs, and say what to do about it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import click

from bot.cli.output import Exit, answer, as_json_option, leave
from bot.core import Means, read_redactor
from bot.doctor.around import Around
from bot.doctor.examination import examine
from bot.doctor.findings import Finding, State, worst
from bot.settings import Settings, read_settings, require_one
from workflows.errors import SecretError
from workflows.redaction import SHORTEST, Redactor

CODES = {
    State.OK: Exit.FINE,
    State.WARN: Exit.FINE,
    State.FAIL: Exit.NO,
    State.UNKNOWN: Exit.UNPROVEN,
}
MARKS = {State.OK: "ok", State.WARN: "WARN", State.FAIL: "FAIL", State.UNKNOWN: "????"}


@click.command()
@as_json_option
def doctor(*, as_json: bool) -> None:
    """Say how everything stands that a bot needs, and what to do about it. Changes nothing.

    Ends with 1 if something fails, with 3 if something could not be seen.
    """
    settings = read_settings()
    require_one(settings)
    if settings.workspace:
        from bot.workspaces.beside import with_token  # noqa: PLC0415 - only a host has it.

        settings = with_token(settings)
    redact = _redactor(settings)
    found = examine(Around(settings=settings))
    state = worst(found)
    data = {"state": state.value, "checks": [_data(one, redact) for one in found]}
    answer(data, [redact(one) for one in _lines(found)], as_json=as_json)
    leave(CODES[state])


def _redactor(settings: Settings) -> Redactor:
    """Return what takes held values out of what is printed; a secret amiss is a finding itself."""
    try:
        return read_redactor(settings, Means())
    except SecretError:
        long_enough = (one for one in settings.tokens.values() if len(one) >= SHORTEST)
        return Redactor(long_enough)


def _data(one: Finding, redact: Redactor) -> dict[str, str]:
    return {name: redact(str(value)) for name, value in asdict(one).items()}


def _lines(found: Sequence[Finding]) -> Iterator[str]:
    for one in found:
        yield f"{MARKS[one.state]:<5} {one.check:<15} {one.saw}"
        if one.costs:
            yield f"{'':<21} {one.costs}"
        if one.do:
            yield f"{'':<21} → {one.do}"
    counts = {state: sum(one.state is state for one in found) for state in State}
    told = ", ".join(f"{count} {state.value}" for state, count in counts.items() if count)
    yield f"{len(found)} checks: {told}."
