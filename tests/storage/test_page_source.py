"""What the page reads of a chosen file is what stands there, however it is kept meanwhile."""

import pytest

from storage.evidence.page import SOURCE
from tests.sandbox.page.tabs import chromium

pytestmark = pytest.mark.browser

LARGE, SMALL = "const SPAN = 1024 * 1024;", "const SPAN = 4096;"
READ_ALL_OVER = """
  const whole = Uint8Array.from({ length: 20 * SPAN + 5 }, (_, at) => (at * 7919) >>> 11);
  const source = new Source(new Blob([whole]));
  const read = { bytes: (at, size) => source.bytes(at, size), stream: streamed };
  const wrong = [];

  async function streamed(at, size) {
    return new Uint8Array(await new Response(await source.stream(at, size)).arrayBuffer());
  }

  async function compare(how, at, size) {
    const [found, meant] = [await read[how](at, size), whole.subarray(at, at + size)];
    const isSame = found.length === meant.length && found.every((byte, i) => byte === meant[i]);
    if (!isSame) wrong.push([how, at, size]);
  }

  for (let turn = 0; turn < 60; turn++) {
    const at = (turn * 7 * SPAN + turn * 163) % whole.length;
    const end = Math.ceil((at + 1) / SPAN) * SPAN;
    for (const how of ["bytes", "stream"]) {
      for (const size of [0, 1, 30, SPAN, SPAN + 1]) {
        for (const from of [at, end - 10, end - 1, end]) await compare(how, from, size);
      }
      await compare(how, whole.length - 3, 9);
    }
  }
  return wrong;
"""


def test_each_place_of_a_large_file_is_read_as_it_is() -> None:
    source = (SOURCE / "source.js").read_text(encoding="utf-8").replace("export ", "")
    assert LARGE in source  # A smaller span has the same borders sooner.
    with chromium() as running:
        page = running.new_page()
        script = f"async () => {{ {source.replace(LARGE, SMALL)} {READ_ALL_OVER} }}"

        assert page.evaluate(script) == []
