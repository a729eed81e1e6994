"""A segment walks: one move after the other, until the run waits or ends.

Where several branches can go on at once, each makes its moves in a thread of its own, for as
long as it is busy; a run of one branch needs no further thread.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from datetime import datetime
from functools import partial
from typing import Self

from workflows.making import make
from workflows.moves import Do, Move
from workflows.recorder import SupersededError
from workflows.segment import After, Next, Pause, Segment

LOOK_SECONDS = 0.5  # How often a segment looks for what others wrote while its branches work.


def walk(segment: Segment) -> None:
    """Make one move after the other until the run waits or ends.

    Raises:
        SupersededError: another process has taken the run over.
        StorageError: a fact could not be recorded; the run stays as its entries say.
    """
    with _outcomes_kept(segment), _Branches(segment) as branches:
        while branches.go_on():
            pass


@contextmanager
def _outcomes_kept(segment: Segment) -> Iterator[None]:
    try:
        yield
    except SupersededError:
        raise
    except Exception:
        if segment.has_outcome:
            segment.commit()  # A defect in what follows casts no doubt on what has happened.
        raise


class _Branches:
    """The branches of one run that are alive: those at work, and those that wait."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._paused: dict[str, tuple[Do, datetime | None]] = {}  # From which move, until when.
        self._busy: dict[str, tuple[Move, Future[Next]]] = {}
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Whatever went wrong in one of them, the others finish what they are doing.
        if self._pool is not None:
            self._pool.shutdown(wait=True)

    def go_on(self) -> bool:
        """Make the moves that can be made now; False when the segment has let go of the run."""
        self._collect()
        now, news = self._segment.house.now(), self._segment.news
        moves = self._segment.walk.moves(self._segment.state, now=now)
        ready = [one for one in moves if self._can_be_made(one, now)]
        if not ready and not self._busy:
            return self._rest(moves)
        self._segment.is_alone = len(moves) == 1 and not self._busy
        if self._segment.is_alone:
            return self._heed(ready[0], make(self._segment, ready[0], news=news))
        self._start(ready, news)
        self._watch(moves)
        return True

    def _can_be_made(self, move: Move, now: datetime) -> bool:
        if move.do is Do.WAIT or move.step in self._busy:
            return False
        if move.do in (Do.END, Do.CANCEL):
            return not self._busy
        before, until = self._paused.get(move.step, (None, None))
        return before is not move.do or (until is not None and until <= now)

    def _heed(self, move: Move, said: Next) -> bool:
        """Take note of what a branch said after its move; False when the run was let go of."""
        self._paused.pop(move.step, None)
        if isinstance(said, Pause):
            self._paused[move.step] = (move.do, said.until)
        return said is not After.GONE

    def _rest(self, moves: Sequence[Move]) -> bool:
        if self._segment.rest(self._earliest(moves)):
            self._paused.clear()
            return True
        return False

    def _earliest(self, moves: Sequence[Move]) -> datetime | None:
        """Return the first moment at which one of the waiting branches goes on by itself."""
        own = [self._paused[one.step][1] for one in moves if one.step in self._paused]
        told = [one.until for one in moves if one.do is Do.WAIT]
        return min((one for one in (*own, *told) if one is not None), default=None)

    def _start(self, ready: Sequence[Move], news: int) -> None:
        most = self._segment.house.branches
        if self._pool is None:
            self._pool = ThreadPoolExecutor(most, f"branch-{self._segment.state.id[:8]}")
        for move in ready[: most - len(self._busy)]:
            # How long it may wait for others, and which run its log lines name, goes along.
            here = copy_context()
            making = self._pool.submit(here.run, partial(make, self._segment, move, news=news))
            self._busy[move.step] = (move, making)

    def _watch(self, moves: Sequence[Move]) -> None:
        """Wait until a branch is done with its move, or there may be news for another."""
        futures = [future for _, future in self._busy.values()]
        done, _ = wait(futures, timeout=self._patience(moves), return_when=FIRST_COMPLETED)
        if not done and self._segment.catch_up():
            self._paused.clear()

    def _patience(self, moves: Sequence[Move]) -> float | None:
        """Return for how long nothing but the busy branches can matter, in seconds."""
        waiting = [one for one in moves if one.step not in self._busy]
        return LOOK_SECONDS if waiting else None

    def _collect(self) -> None:
        """Take note of the branches that are done with their moves.

        Raises:
            Exception: what one of them raised, once all others are done too.
        """
        if any(one.done() and one.exception() for _, one in self._busy.values()):
            wait([one for _, one in self._busy.values()])
        done = [(move, one) for move, one in self._busy.values() if one.done()]
        # Where the answer to a claim was lost, others find the run taken: the cause comes first.
        done.sort(key=lambda made: isinstance(made[1].exception(), SupersededError))
        for move, _ in done:
            del self._busy[move.step]
        for move, one in done:
            self._heed(move, one.result())
