"""What a chaos trial found, as figures, as a table, and as words for whoever has to look."""

from collections.abc import Iterator, Sequence

from bench.trial.assault import Outcome
from bench.trial.judge import Verdict


def report(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Return what was found, over all homes or over some."""
    whole, kills, freezes, stops = Verdict(), 0, 0, 0
    for one in outcomes:
        whole.add(one.verdict)
        kills += one.tally.total
        freezes += one.tally.freezes
        stops += one.tally.stops
    return {
        "kills": kills,
        "runs": whole.runs,
        "effects": whole.effects,
        "effects_twice": len(whole.twice),
        "effects_untrue": len(whole.untrue),
        "runs_lost": len(whole.lost),
        "broken_chains": len(whole.broken),
        "unproven": len(whole.unproven),
        "doubts": whole.doubts,
        "doubts_unsettled": len(whole.unaccounted),
        "doubts_settled_by": dict(whole.doubts_by),
        "ends": dict(whole.ends),
        "entries": whole.entries,
        "freezes": freezes,
        "database_crashes": stops,
    }


def findings(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield what is wrong, home by home."""
    for one in outcomes:
        verdict = one.verdict
        found = {
            "twice": verdict.twice,
            "untrue": verdict.untrue,
            "lost": verdict.lost,
            "broken": verdict.broken,
            "unproven": verdict.unproven,
            "unsettled": verdict.unaccounted,
            "left": one.left,
            "refused": one.refusals[:20],
        }
        for name, all_of_it in found.items():
            yield from (f"{one.home}: {name}: {what}" for what in all_of_it)


def show(outcomes: Sequence[Outcome]) -> None:
    """Print a table of the kinds of victim."""
    columns = ("kills", "runs", "effects_twice", "runs_lost", "broken_chains", "doubts")
    print(f"{'victim':<18}" + "".join(f"{name:>15}" for name in columns))
    for name, figures in by_kind(outcomes).items():
        print(f"{name:<18}" + "".join(f"{figures[one]!s:>15}" for one in columns))


def by_kind(outcomes: Sequence[Outcome]) -> dict[str, dict[str, object]]:
    """Return what was found for each kind of victim."""
    kinds = sorted({one.kind for one in outcomes})
    return {kind: report([one for one in outcomes if one.kind == kind]) for kind in kinds}
