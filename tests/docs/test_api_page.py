"""Each request that the page about programs shows is sent to a bot, and answered as shown."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot.webhook_signature import key_of
from tests.docs.pages import ROOT, blocks, is_as_shown
from tests.journeys.day import Case
from tests.journeys.programs import ENVIRONMENT, KEY, Outside, outside_world, signed

PAGE = ROOT / "docs/api.md"
SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A request or an answer as the page writes it."""

    first: str
    headers: dict[str, str]
    body: str


def shown() -> list[Shown]:
    return [_read(one.text) for one in blocks(PAGE) if one.kind == "http"]


def _read(text: str) -> Shown:
    head, _, body = text.partition("\n\n")
    first, *lines = head.splitlines()
    headers = dict(line.split(": ", maxsplit=1) for line in lines)
    return Shown(first=first, headers=headers, body=body.strip())


def send(outside: Outside, request: Shown, *, token: str, run: str) -> httpx.Response:
    method, path, _ = request.first.split(" ")
    headers = {name: one.replace("ilk_…", token) for name, one in request.headers.items()}
    url = outside.url + path.replace("RUN", run)
    return httpx.request(method, url, headers=headers, content=request.body, timeout=SECONDS)


def differences(seen: Any, wanted: Any, at: str = "") -> list[str]:  # noqa: ANN401 - any JSON.
    """Return where an answer is not what the page shows; `…` stands for anything."""
    if isinstance(wanted, str) and is_as_shown(str(seen), wanted):
        return []
    if isinstance(wanted, dict) and isinstance(seen, dict) and wanted.keys() == seen.keys():
        return [fault for name in wanted for fault in differences(seen[name], wanted[name], name)]
    if isinstance(wanted, list) and isinstance(seen, list) and len(wanted) == len(seen):
        pairs = zip(seen, wanted, strict=True)
        return [fault for one, other in pairs for fault in differences(one, other, at)]
    return [] if seen == wanted else [f"{at}: {seen!r} instead of {wanted!r}"]


def test_every_request_of_the_page_is_answered_as_it_shows(tmp_path: Path) -> None:
    written = shown()
    pairs = list(zip(written[::2], written[1::2], strict=True))
    wrong: list[str] = []
    with outside_world(tmp_path) as outside:
        token, run = outside.token(), ""
        case = Case(outside.day, channel="#ops")
        case.channel = "#ops"
        for request, answer in pairs:
            seen = send(outside, request, token=token, run=run)
            run = run or seen.json()["run"]
            # What stands behind the number on the wire depends on the Python that runs the bot.
            title = seen.json().get("title", seen.reason_phrase)
            status = f"HTTP/1.1 {seen.status_code} {title}"
            wrong += [] if status == answer.first else [f"{status} instead of {answer.first}"]
            wrong += [
                f"{name}: {seen.headers.get(name)}"
                for name, one in answer.headers.items()
                if not is_as_shown(seen.headers.get(name, ""), one)
            ]
            wrong += differences(seen.json(), json.loads(answer.body))
            if not case.roots():
                case.card(case.waits(lambda: next(iter(case.roots()), None), "the first message"))

    assert len(pairs) == 5
    assert wrong == []


def test_what_the_page_says_of_signing_makes_signatures_that_count() -> None:
    code = next(one.text for one in blocks(PAGE) if one.kind == "python")
    names: dict[str, Any] = {}
    exec(code, names)
    body = b'{"type": "praise"}'
    headers = signed(body, ident="msg_1", at=1_700_000_000)
    secret = ENVIRONMENT["INTERLOCK_SECRET_SHOP_EVENTS"]
    made = names["signature"](secret, "msg_1", 1_700_000_000, body)

    assert made == headers["webhook-signature"]
    assert key_of(secret) == KEY


def test_the_page_names_every_route() -> None:
    text = PAGE.read_text(encoding="utf-8")
    routes = (ROOT / "bot/http_routes.py").read_text(encoding="utf-8")
    paths = re.findall(r'Route\("([^"]+)"', routes)

    assert len(paths) == 4
    assert all(re.sub(r"\{(\w+)\}", lambda one: one[1].upper(), path) in text for path in paths)
