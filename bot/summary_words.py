"""A summary in lines, each sentence with the numbers of the entries it rests on."""

from storage.summaries import Summary, Told


def summary_words(summary: Summary) -> str:
    """Return a summary as text, a sentence a line; a model's is labelled first."""
    label = [f"Written by the language model {summary.model}:"] if summary.model else []
    return "\n".join([*label, *(f"{one.text}{_basis(one)}" for one in summary.told)])


def _basis(one: Told) -> str:
    return f" ({', '.join(f'#{place}' for place in one.entries)})" if one.entries else ""
