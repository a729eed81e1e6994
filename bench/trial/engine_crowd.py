"""People who reach the engine through the pipe of one of its processes."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateError
from typing import Any

from bench.trial.crowd import Crowd
from bench.trial.home import Home
from bench.trial.life import PATIENCE, DiedError, RefusedError
from bench.trial.wish import Wish

Ask = Callable[..., "Future[Any]"]

AT_ONCE = 14
LOST = (DiedError, LateError)
NOT_NOW = "StorageUnavailableError"  # Said while Postgres is away; asked again, it is accepted.


class EngineCrowd(Crowd):
    """A crowd that sends orders with `ask` to whichever process lives."""

    def __init__(
        self, home: Home, cases: Iterator[Wish], ask: Ask, *, at_once: int = AT_ONCE
    ) -> None:
        super().__init__(home, cases, at_once=at_once)
        self.ask = ask

    def start(self, case: Wish) -> bool:
        fields = {"workflow": case.workflow, "inputs": dict(case.inputs)}
        sent = [
            self.ask("start", **fields, person="rita", key=case.subject) for _ in range(case.starts)
        ]
        if not any([self._is_accepted(one) for one in sent]):  # noqa: C419  each is waited for
            return False
        self.accepted[case.subject] = case
        return True

    def _is_accepted(self, sent: "Future[Any]") -> bool:
        try:
            sent.result(PATIENCE)
        except LOST:
            return False
        except RefusedError as refusal:
            if not str(refusal).startswith(NOT_NOW):
                self.refusals.append(str(refusal))
            return False
        return True

    def decide(self, case: Wish, request: str) -> None:
        """Click, as often as this case does; every second click is another approver's."""
        if not self.is_due(request, "decide", every=2.0):
            return
        for number in range(case.clicks):
            self.ask(
                "decide",
                request=request,
                person=("ana", "ben")[number % 2],
                verdict=case.verdict,
                comment="no" if case.verdict == "deny" else "",
            )

    def cancel(self, run: str) -> None:
        self.ask("cancel", run=run, person="rita")

    def answer_doubt(self, run: str, step: str, *, happened: bool) -> None:
        said = "yes" if happened else "no"
        self.ask("doubt", run=run, step=step, person="omar", happened=said)

    def answer_exception(self, run: str, step: str, *, answer: str) -> None:
        self.ask("exception", run=run, step=step, person="omar", answer=answer)
