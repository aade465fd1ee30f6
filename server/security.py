"""Who is answered: the server's own page and programs on this machine, never a page of another site.

A page anywhere can make a browser send requests to 127.0.0.1. The Host header stops a foreign name that was pointed
here (DNS rebinding); Origin and Sec-Fetch-Site stop foreign pages; the response headers keep our page to its own
files.
"""

import re
from collections.abc import Iterable, Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.errors import CrossOrigin, HostNotAllowed, Refusal, refusal_response, shown

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every response. Plotly sets style attributes and makes images out of data and blob addresses: hence those."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[0-9a-z._-]+)(:(?P<port>[0-9]{1,5}))?")
_NOWHERE = ("", 0)


def allowed_hosts(bound_host: str, further: Iterable[str]) -> frozenset[str]:
    """The names, lower case and IPv6 in brackets, that a Host header may carry."""
    return LOCAL_HOSTS | {_bracketed(name.lower()) for name in (bound_host, *further)}


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name and not name.startswith("[") else name


class Security:
    """ASGI middleware: refuses foreign hosts and origins, and puts the security headers on every response."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse to."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(Headers(scope=scope))
        answer = self._app if refusal is None else refusal_response(refusal)
        await answer(scope, receive, send_with_headers)

    def _refusal(self, headers: Headers) -> Refusal | None:
        """Why this request is not answered, or None."""
        hosts = headers.getlist("host")
        host = hosts[0] if len(hosts) == 1 else ""
        if _authority(host)[0] not in self._hosts:
            return HostNotAllowed(
                f"Host is {shown(host)}: this server answers for {', '.join(sorted(self._hosts))}; "
                "NTM_SCOPE_ALLOWED_HOSTS adds names"
            )
        origin = headers.get("origin")
        if origin is not None and not _same_authority(origin, host):
            return CrossOrigin(f"Origin is {shown(origin)}: only the page at {host!r} may use this server")
        site = headers.get("sec-fetch-site", "none")
        if site not in {"same-origin", "none"} and headers.get("sec-fetch-mode") != "navigate":
            return CrossOrigin(f"Sec-Fetch-Site is {shown(site)}: only the page at {host!r} may use this server")
        return None


def _same_authority(origin: str, host: str) -> bool:
    """Whether a page at `origin` was served by `host`, the default port of its scheme filled in."""
    scheme, _, authority = origin.partition("://")
    default = _DEFAULT_PORTS.get(scheme.lower())
    return default is not None and _authority(authority, default) == _authority(host, default) != _NOWHERE


def _authority(text: str, default_port: int = 0) -> tuple[str, int]:
    """Host (lower case, IPv6 in brackets) and port of "host:port"; `_NOWHERE` if the text is anything else."""
    found = _AUTHORITY.fullmatch(text.lower())
    return _NOWHERE if found is None else (found["host"], int(found["port"] or default_port))
