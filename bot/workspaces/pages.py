"""The pages of an installation, as people see them in a browser. Pure: values in, HTML out."""

from html import escape

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    # A code stands in the address of the last page; no other site is told of it.
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline';"
    " frame-ancestors 'none'; base-uri 'none'",
}
STYLE = (
    "body{font:17px/1.5 system-ui,sans-serif;max-width:36rem;margin:12vh auto;padding:0 1.2rem;"
    "color:#1d1c1d;background:#fff}a.button{display:inline-block;padding:.6rem 1.4rem;"
    "border-radius:.4rem;background:#1f3a5f;color:#fff;text-decoration:none}"
    "code{background:#f3f3f3;padding:.1rem .3rem}@media(prefers-color-scheme:dark){"
    "body{color:#eee;background:#1a1d21}code{background:#333}}"
)


def install_page(url: str) -> str:
    """Return the page that leads to Slack, which asks the person."""
    return _page(
        "Add Interlock to Slack",
        "<p>Interlock runs workflows that people approve, and signs every step. Slack will ask"
        " which workspace it is for, and show what it may do there.</p>"
        f'<p><a class="button" href="{escape(url)}">Add to Slack</a></p>',
    )


def installed_page(*, name: str, command: str, ident: str, trouble: str, again: str) -> str:
    """Return the page after it: what to do next, and what is wrong with it, if anything is."""
    link = f'<a href="{escape(again)}">Install it again</a>, and leave the address as it is.'
    return _page(
        f"Interlock is at work in {name}",
        (f"<p>But {escape(trouble)}. {link}</p>" if trouble else "")
        + "<ol><li>Type <code>/invite @interlock</code> in each channel where runs should have"
        f" their threads.</li><li>Type <code>{escape(command)} help</code> there.</li>"
        "<li>Whoever runs this server finds the policy, which says who has to agree to what,"
        f" in the home of workspace <code>{escape(ident)}</code>.</li></ol>",
    )


def unready_page(*, name: str, ident: str) -> str:
    """Return the page of an app that is installed, and whose bot could not be started."""
    return _page(
        f"Interlock is installed in {name}, and not at work yet",
        "<p>Something on the server has to be put right first. Tell whoever runs it: its log"
        f" says what, for workspace <code>{escape(ident)}</code>. It is tried again each minute;"
        " nothing has to be installed again.</p>",
    )


def failed_page(why: str, *, hint: str, again: str = "") -> str:
    """Return the page of an installation that came to nothing."""
    link = f'<p><a class="button" href="{escape(again)}">Begin again</a></p>' if again else ""
    return _page("Interlock was not installed", f"<p>{escape(why)}</p><p>{escape(hint)}</p>{link}")


def _page(title: str, inside: str) -> str:
    shown = escape(title)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{shown}</title><style>{STYLE}</style><h1>{shown}</h1>{inside}</html>"
    )
