"""Writes what programs are answered, a value of `problems`, as Starlette sends it."""

import json

from starlette.responses import Response

from bot.problems import Answer


def response_of(answer: Answer) -> Response:
    """Return an answer as Starlette sends it."""
    written = json.dumps(answer.data, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Cache-Control": "no-store", **answer.headers}
    return Response(written, answer.status, headers, answer.media_type)
