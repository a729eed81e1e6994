"""A summary in lines, each sentence with the numbers of the entries it rests on."""

from collections.abc import Sequence

from storage.summaries import Told


def summary_words(told: Sequence[Told]) -> str:
    """Return a summary as text, a sentence a line."""
    return "\n".join(f"{one.text}{_basis(one)}" for one in told)


def _basis(one: Told) -> str:
    return f" ({', '.join(f'#{place}' for place in one.entries)})" if one.entries else ""
