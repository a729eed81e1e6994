"""Every sign that the product writes is drawn, so that a machine without an emoji font shows it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
DRAWN = re.compile(r'^  "(.)": \[', re.MULTILINE)
SIGN = re.compile("[\u23e9-\u23fa\u2600-\u27bf\u21a9\u21aa\U0001f300-\U0001faff]")


def test_every_sign_of_the_product_is_drawn() -> None:
    drawn = set(DRAWN.findall((ROOT / "sandbox/page/emoji.js").read_text(encoding="utf-8")))
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "bot").rglob("*.py")]
    written = {one for text in texts for one in SIGN.findall(text)}

    assert len(written) > 20
    assert written - drawn == set()
