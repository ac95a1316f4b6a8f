"""The gate before the page's server: its own pages alone come in, by a name of it, and so many at once.

A browser lets any website send requests to a server on this machine. So a request counts only if its Host is
a name of this server (a foreign name may have been made to point here) and its Origin, where one is stated,
is the page itself. Programs that are no browsers state none.
"""

from __future__ import annotations

import ipaddress
import socket
from collections import Counter
from collections.abc import Container
from typing import Any
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # all addresses of the machine
PORTS = {"http": 80, "https": 443}
MOST_PAGES = 20  # of one address, open or left a moment ago
ADDRESS_BITS = 64  # of IPv6; the others are the visitor's to choose
CONNECTION = "/jupyter/api/kernels/"  # the path of a page's websocket, before the name of the page
TOO_MANY = (
    f"Your address has {MOST_PAGES} pages open here, and that is the most. Close one, or wait some minutes "
    "for those that were left; then load this page again."
)


class Visitors:
    """The pages of each address: those open, and those that were left and that the server still keeps."""

    def __init__(self) -> None:
        self._address: dict[str, str] = {}  # of every page
        self._connections = Counter[str]()  # of every page

    def address(self, page: str) -> str:
        """The address that a page was opened from; empty if it is not known."""
        return self._address.get(page, "")

    def has_room(self, address: str, page: str, kept: Container[str]) -> bool:
        """Whether an address may have one more connection, for a page.

        Args:
            address: the visitor's.
            page: a new page, or one that comes back and then takes its own place.
            kept: the pages that the server keeps; others without a connection are forgotten.
        """
        for left in [name for name in self._address if not self._connections[name] and name not in kept]:
            del self._address[left]
        theirs = [name for name, owner in self._address.items() if owner == address]
        comes_back = page in theirs and not self._connections[page]
        return sum(max(self._connections[name], 1) for name in theirs) < MOST_PAGES + comes_back

    def enter(self, address: str, page: str) -> None:
        """A connection of a page begins."""
        self._address[page] = address
        self._connections[page] += 1

    def leave(self, page: str) -> None:
        """A connection of a page ends."""
        self._connections[page] -= 1
        self._connections += Counter()  # forgets those without any


VISITORS = Visitors()


class Gate:
    """Refuses foreign names, foreign websites and too many pages of one address; lets all else through.

    Args:
        app: the server behind the gate.
        host: the address that the server was told to listen on.
        kept: the pages that the server keeps.
        visitors: who is there.
    """

    def __init__(self, app: ASGIApp, host: str, kept: Container[str], visitors: Visitors = VISITORS) -> None:
        self.app, self.kept, self.visitors = app, kept, visitors
        self.everywhere = host in EVERYWHERE
        self.names = LOOPBACK | {host.lower()} - {""}
        if self.everywhere:
            self.names |= {socket.gethostname().lower(), f"{socket.gethostname().lower()}.local"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with the reason why not."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        address, page = _address(scope), _page(scope)
        refusal = self.foreign(Headers(scope=scope))
        if refusal:
            await _refuse(403, refusal, scope, receive, send)
        elif page is not None and not self.visitors.has_room(address, page, self.kept):
            await _refuse(429, TOO_MANY, scope, receive, send)
        elif page and scope["type"] == "websocket":
            self.visitors.enter(address, page)
            try:
                await self.app(scope, receive, send)
            finally:
                self.visitors.leave(page)
        else:
            await self.app(scope, receive, send)

    def foreign(self, headers: Headers) -> str:
        """Why a request is not one of this server's own pages; empty if it may be."""
        hosts = [_host(text) for text in headers.getlist("host")]
        host = hosts[0] if len(hosts) == 1 else None
        if host is None or not self._is_ours(host):
            return "This server is not known by that name; start it with --host NAME to give it another."
        if not all(_is_of(origin, host) for origin in headers.getlist("origin")):
            return "Only this server's own pages may ask it for something; another website did."
        return ""

    def _is_ours(self, host: SplitResult) -> bool:
        """Whether a host is a name of this server; where it listens everywhere, every number is."""
        name = host.hostname or ""
        return name in self.names or (self.everywhere and _is_number(name))


def _host(text: str) -> SplitResult | None:
    """Name and port of what a Host header says; None if it says no name, or more than these two."""
    try:
        found = urlsplit(f"//{text}")
        plain = found.netloc == text and "@" not in text and found.port != 0
    except ValueError:
        return None
    return found if plain and found.hostname else None


def _is_of(origin: str, host: SplitResult) -> bool:
    """Whether an origin is the host that was asked; the names of this machine for itself are one."""
    scheme, _, rest = origin.partition("://")
    theirs, standard = _host(rest), PORTS.get(scheme)
    if theirs is None or standard is None:
        return False
    same = theirs.hostname == host.hostname or {theirs.hostname, host.hostname} <= LOOPBACK
    return same and (theirs.port or standard) == (host.port or standard)


def _is_number(name: str) -> bool:
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def _address(scope: Scope) -> str:
    """Where a request comes from, as far as its visitor cannot choose it."""
    text = str((scope.get("client") or ("",))[0])
    try:
        address: Any = ipaddress.ip_address(text)
    except ValueError:
        return text
    address = getattr(address, "ipv4_mapped", None) or address
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), ADDRESS_BITS), strict=False))


def _page(scope: Scope) -> str | None:
    """The page whose connection a request begins; empty for a page that is only now asked for; else None."""
    path = scope["path"]
    if scope["type"] == "http":
        return "" if path == "/" else None
    return str(path.removeprefix(CONNECTION).split("/")[0]) if path.startswith(CONNECTION) else None


async def _refuse(status: int, why: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
        await PlainTextResponse(f"{why}\n", status)(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": why})
