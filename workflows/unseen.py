"""Characters that nobody can see, and text that holds nothing else."""

import re
import unicodedata

# What has no shape of its own, though Python calls all but the joiner printable: grapheme joiner,
# fillers, variation selectors.
SHAPELESS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200d\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
_KINDS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
_NO_DOTS = "\u2800"  # The sign of Braille without a dot counts as a symbol.


def is_blank(text: str) -> bool:
    """Say whether `text` holds nothing that a reader would see, be it empty or not."""
    return all(_is_unseen(one) for one in text)


def _is_unseen(one: str) -> bool:
    if one > " " and one.isascii():
        return one == "\x7f"
    is_shapeless = SHAPELESS.match(one) is not None or one == _NO_DOTS
    return is_shapeless or unicodedata.category(one) in _KINDS
