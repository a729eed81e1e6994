"""The worker: reads one question, asks litellm once, writes one answer.

    python -I -S worker_program.py FOLDER < question > answer

A program by itself. It is started without any site, so nothing in FOLDER runs before this
file imports it, and of the bot's own environment it sees nothing. The key comes in by its
environment and leaves only towards the model: of an error it tells the name and the status.
"""

import json
import os
import sys


def main() -> None:
    """Answer the question on standard input."""
    told = json.loads(sys.stdin.readline())
    # Whatever a library prints would stand in the middle of the protocol.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    out.write(json.dumps(_answer(told)) + "\n")
    out.flush()
    os._exit(0)  # Threads of libraries are not waited for.


def _answer(told: dict[str, object]) -> dict[str, object]:
    try:
        return _asked(told)
    except Exception as fault:  # noqa: BLE001 - its words may hold the key, so only its name is told.
        status = getattr(fault, "status_code", 0)
        return {
            "error": type(fault).__name__,
            "status": status if isinstance(status, int) and 0 <= status <= 999 else 0,  # noqa: PLR2004
        }


def _asked(told: dict[str, object]) -> dict[str, object]:
    key = os.environ.pop("INTERLOCK_MODEL_KEY", "")
    sys.path.append(sys.argv[1])
    import litellm  # type: ignore[import-not-found]  # noqa: PLC0415 - it lies in the folder, not here.

    params = told["params"]
    found = litellm.completion(
        model=told["model"],
        messages=told["messages"],
        max_tokens=told["max_tokens"],
        timeout=told["timeout"],
        api_key=key or None,
        base_url=told["base_url"] or None,
        max_retries=0,
        num_retries=0,
        **{name: float(one) for name, one in params.items()} if isinstance(params, dict) else {},
    )
    choice, usage = found.choices[0], found.usage
    return {
        "text": choice.message.content or "",
        "model": str(found.model),
        "tokens_in": int(usage.prompt_tokens),
        "tokens_out": int(usage.completion_tokens),
        "finish": str(choice.finish_reason),
    }


if __name__ == "__main__":
    main()
