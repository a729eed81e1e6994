"""What curl and wget are told: the requests that they sent, taken for the worst they could be."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from workflows.adopting.found import Doing
from workflows.adopting.programs import words
from workflows.adopting.requests import apart, request

_BODY = frozenset(
    {"-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json", "--post-data"}
) | {"--data-urlencode", "--form-string", "--body-data"}
_FILES = frozenset({"-T", "--upload-file", "-F", "--form", "--post-file", "--body-file"})
# Short options that take what follows; of several that stand together the last may.
_OF_CURL = frozenset("XdHuoAembcwFTxKCErtyYzQPDU")
_OF_WGET = frozenset("OoaetTPUwQlARDIXBi")
_VALUED = words(
    "-H --header -u --user -o --output -A --user-agent -e --referer -m --max-time -b --cookie -c"
    " --cookie-jar --connect-timeout --retry -w --write-out --cacert --cert --key -F --form"
    " --retry-delay -x --proxy --retry-max-time -K --config -C --continue-at -E -r --range -t -y -Y"
    " -z --time-cond -Q --quote -P -D --dump-header -U --proxy-user --resolve --connect-to"
    " --interface --limit-rate --max-redirs --max-filesize --noproxy --unix-socket --oauth2-bearer"
    " --aws-sigv4 --output-dir --capath --ciphers --tls-max --socks5 --stderr --trace-ascii"
    " --output-document --directory-prefix --tries --timeout --wait --password --append-output"
)
_NEXT = ("--next", "-:")
_ADDRESS = re.compile(r"[./:]|\$\{\{|localhost")


@dataclass(slots=True)
class _Curl:
    method: str = ""
    urls: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)


def curl(name: str, line: int, args: Sequence[str], asked: Sequence[str]) -> list[Doing]:
    """Return the requests of a curl or wget: one for each address, each with all options."""
    return [
        one for part in _parts(args) for one in _requests(_read(_WORDS[name](part)), line, asked)
    ]


def _parts(args: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the arguments of each request that is told apart by `--next`."""
    at = next((at for at, one in enumerate(args) if one in _NEXT), len(args))
    yield args[:at]
    if at < len(args):
        yield from _parts(args[at + 1 :])


def _requests(found: _Curl, line: int, asked: Sequence[str]) -> Iterator[Doing]:
    body, method = "&".join(found.bodies), found.method.upper()
    method = method or ("POST" if found.bodies else "GET")
    # A word that an option takes which is not known here may stand among the addresses.
    urls = [one for one in found.urls if _ADDRESS.search(one)] or [*found.urls, ""][:1]
    for url in urls:
        yield request(line, method, url, body, [*asked, *found.open])


def _read(args: Iterable[str]) -> _Curl:
    found, rest = _Curl(), iter(apart(args))
    for one in rest:
        if one in ("-X", "--request", "--method"):
            found.method = next(rest, "")
        elif one in _BODY:
            found.bodies.append(next(rest, ""))
        elif one in ("-I", "--head"):
            found.method = "HEAD"
        elif one in _FILES:
            next(rest, "")
            found.method = found.method or ("PUT" if one in ("-T", "--upload-file") else "POST")
            found.open.append("it sent a file, which http.request does not")
        elif one in ("-H", "--header"):
            _header(found, next(rest, ""))
        elif one in ("-u", "--user"):
            next(rest, "")
            found.open.append("it sent credentials; say so in the policy (secret_header)")
        elif one in _VALUED:
            next(rest, "")
        elif one == "--url" or not one.startswith("-"):
            found.urls.append(next(rest, "") if one == "--url" else one)
    return found


def _header(found: _Curl, value: str) -> None:
    name = value.partition(":")[0].strip()
    if name.casefold() not in ("content-type", "accept"):
        found.open.append(f"it sent the header {name}; say so in the policy (secret_header)")


def _singly(args: Sequence[str], taking: frozenset[str]) -> Iterator[str]:
    """Yield the arguments with short options that stand together, as in `-sXPOST`, one by one."""
    for one in args:
        if not re.match(r"-[A-Za-z#]", one):
            yield one
            continue
        letters = one[1:]
        last = next((at for at, letter in enumerate(letters) if letter in taking), len(letters))
        yield from (f"-{letter}" for letter in letters[: last + 1])
        if letters[last + 1 :]:
            yield letters[last + 1 :]


def _of_wget(args: Sequence[str]) -> Iterator[str]:
    """Yield the arguments without short options: none of wget's says what is sent."""
    rest = iter(_singly(args, _OF_WGET))
    for one in rest:
        if not re.fullmatch(r"-[A-Za-z]", one):
            yield one
        elif one[1] in _OF_WGET:
            next(rest, "")


_WORDS: Mapping[str, Callable[[Sequence[str]], Iterator[str]]] = {
    "curl": lambda args: _singly(args, _OF_CURL),
    "wget": _of_wget,
}
