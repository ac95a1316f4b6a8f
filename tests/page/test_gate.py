"""Who may ask the page's server for what: names, websites, and how much of one address."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from small_pages import served, wait_until
from starlette.datastructures import Headers

from sim.page import serve as serving
from sim.page.gate import MOST_PAGES, Gate, Visitors
from sim.page.turns import GivenUp, Turns

FORGETFUL = """
import sys
from sim.page import serve
serve.VISIT_ENDS = "1s"
from sim.cli import main
sys.exit(main(sys.argv[1:]))
"""
EVIL = "http://evil.example"
OPEN, FORBIDDEN, TOO_MANY = 101, 403, 429


async def nothing(*_: Any) -> None:
    """A server that does nothing."""


def refused(host: str, asked: str, *origins: str) -> bool:
    raw = [(b"host", asked.encode()), *((b"origin", origin.encode()) for origin in origins)]
    return bool(Gate(nothing, host, ()).foreign(Headers(raw=raw)))


# Names and websites


@pytest.mark.parametrize("asked", ["localhost", "127.0.0.1:8765", "[::1]:8765", "LocalHost:8765"])
def test_the_names_of_this_machine_for_itself_are_let_in(asked: str) -> None:
    for host in ("127.0.0.1", "localhost", "::1", "192.0.2.7", "0.0.0.0"):
        assert not refused(host, asked)


@pytest.mark.parametrize(
    "asked",
    [
        "evil.example", "evil.example:8765", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.7",
        "localhost@evil.example", "evil.example@localhost", "localhost/x", "localhost:port", "localhost:0",
        "[::1", ":8765", "127.1", "2130706433", "",
    ],
)  # fmt: skip
def test_a_name_that_was_made_to_point_here_is_refused(asked: str) -> None:
    assert refused("127.0.0.1", asked)


def test_the_host_that_was_told_is_let_in_and_everywhere_means_every_number() -> None:
    assert not refused("talents.example", "Talents.Example:8765")
    assert not refused("192.0.2.7", "192.0.2.7:8765")
    assert refused("192.0.2.7", "192.0.2.8:8765")
    for host in ("0.0.0.0", "::", ""):
        assert not refused(host, "192.0.2.7:8765")
        assert not refused(host, "[2001:db8::7]:8765")
        assert not refused(host, socket.gethostname())
        assert refused(host, "evil.example")


def test_two_hosts_or_none_are_refused() -> None:
    gate = Gate(nothing, "127.0.0.1", ())
    assert gate.foreign(Headers(raw=[]))
    assert gate.foreign(Headers(raw=[(b"host", b"localhost"), (b"host", b"evil.example")]))


@pytest.mark.parametrize(
    ("asked", "origin"),
    [
        ("127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("127.0.0.1:8765", "http://localhost:8765"),
        ("[::1]:8765", "http://[::1]:8765"),
        ("localhost", "http://localhost"),
        ("localhost:80", "http://localhost"),
        ("localhost", "https://localhost"),
        ("localhost:443", "https://localhost"),
    ],
)
def test_the_page_itself_is_let_in(asked: str, origin: str) -> None:
    assert not refused("127.0.0.1", asked, origin)


@pytest.mark.parametrize(
    "origin",
    [
        EVIL, f"{EVIL}:8765", "null", "", "http://localhost:3000", "http://localhost", "https://localhost",
        "file://", "file://localhost:8765", "chrome-extension://localhost:8765", "localhost:8765",
        "http://localhost:8765.evil.example", "http://localhost:8765@evil.example", "http://127.0.0.1:8765/x",
        "http://192.0.2.7:8765", "HTTP//localhost:8765", "http://[::1", "http://localhost:99999",
    ],
)  # fmt: skip
def test_another_website_is_refused(origin: str) -> None:
    for host in ("127.0.0.1", "0.0.0.0"):
        assert refused(host, "localhost:8765", origin)
        assert refused(host, "localhost:8765", "http://localhost:8765", origin)


def test_a_website_by_number_is_not_the_page_of_another_number() -> None:
    assert not refused("0.0.0.0", "192.0.2.7:8765", "http://192.0.2.7:8765")
    assert refused("0.0.0.0", "192.0.2.7:8765", "http://192.0.2.8:8765")
    assert refused("0.0.0.0", "192.0.2.7:8765", "http://localhost:8765")


# How many pages


def status(gate: Gate, client: str, kind: str, path: str) -> int:
    """What the gate answers; 0 if it lets the request through."""
    scope = {
        "type": kind, "path": path, "client": (client, 4711), "headers": [(b"host", b"localhost")],
        "extensions": {"websocket.http.response": {}},
    }  # fmt: skip
    said: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        said.append(message)

    asyncio.run(gate(scope, nothing, send))
    return int(said[0]["status"]) if said else 0


def test_an_address_has_so_many_pages_and_others_are_not_kept_out() -> None:
    visitors, kept = Visitors(), set[str]()
    gate = Gate(nothing, "127.0.0.1", kept, visitors)

    def answer(client: str, page: str = "") -> int:
        path = f"/jupyter/api/kernels/{page}/channels"
        return status(gate, client, "websocket", path) if page else status(gate, client, "http", "/")

    for number in range(MOST_PAGES):
        assert answer("192.0.2.7") == answer("192.0.2.7", f"page{number}") == 0
        visitors.enter("192.0.2.7", f"page{number}")
        kept.add(f"page{number}")
    assert answer("192.0.2.7") == answer("192.0.2.7", "more") == answer("192.0.2.7", "page3") == TOO_MANY
    assert answer("::ffff:192.0.2.7", "more") == TOO_MANY
    assert status(gate, "192.0.2.7", "http", "/static/main.js") == 0  # pages that are open go on
    assert answer("192.0.2.8", "other") == 0
    visitors.leave("page3")
    assert answer("192.0.2.7", "more") == TOO_MANY  # the server keeps it for a while
    assert answer("192.0.2.7", "page3") == 0  # and it may come back
    kept.remove("page3")
    assert answer("192.0.2.7", "more") == 0


def test_an_address_of_ipv6_is_what_a_visitor_cannot_choose() -> None:
    visitors = Visitors()
    gate = Gate(nothing, "::1", (), visitors)
    for number in range(MOST_PAGES):
        visitors.enter("2001:db8:0:1::/64", f"page{number}")
    assert status(gate, "2001:db8:0:1:2:3:4:5", "http", "/") == TOO_MANY
    assert status(gate, "2001:db8:0:2:2:3:4:5", "http", "/") == 0


def test_a_connection_counts_as_long_as_it_lasts() -> None:
    visitors = Visitors()

    async def server(*_: Any) -> None:
        assert visitors.address("it") == "192.0.2.7"
        for _ in range(MOST_PAGES - 1):
            assert visitors.has_room("192.0.2.7", "other", ())
            visitors.enter("192.0.2.7", "it")
        assert not visitors.has_room("192.0.2.7", "other", ())
        for _ in range(MOST_PAGES - 1):
            visitors.leave("it")
        raise ConnectionError

    gate = Gate(server, "localhost", (), visitors)
    with pytest.raises(ConnectionError):
        status(gate, "192.0.2.7", "websocket", "/jupyter/api/kernels/it/channels")
    assert visitors.has_room("192.0.2.7", "other", ())
    assert visitors.address("it") == ""  # forgotten


# Turns


def test_turns_are_waited_for_by_each_address_and_by_all() -> None:
    turns = Turns(each=1, in_all=2)
    asked: list[str] = []

    def never(address: str) -> Iterator[None]:
        with turns.turn(address, lambda: bool(asked.append(address))):
            pytest.fail("it had a turn")
        yield

    with turns.turn("a"):
        with pytest.raises(GivenUp):
            next(never("a"))
        with turns.turn("b"), pytest.raises(GivenUp):
            next(never("c"))
        with turns.turn("c"):
            pass
    assert asked == ["a", "c"]


def test_whoever_waits_has_the_next_turn() -> None:
    turns, had = Turns(each=1, in_all=1), threading.Event()

    def wait() -> None:
        with turns.turn("b"):
            had.set()

    waiting = threading.Thread(target=wait)
    with pytest.raises(ZeroDivisionError), turns.turn("a"):
        waiting.start()
        assert not had.wait(0.05)
        raise ZeroDivisionError  # a turn ends however it ends
    assert had.wait(60)
    waiting.join()


# The server itself


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that forgets pages a second after they were left."""
    if os.name == "nt":
        pytest.skip("ends the server by a signal, as a terminal does")
    log = tmp_path_factory.mktemp("gate") / "log.txt"
    with served(FORGETFUL, log) as url:
        yield url


def handshake(address: str, *headers: str, host: str = "") -> tuple[int, socket.socket]:
    """The status that a handshake for a page's websocket is answered with, and the connection."""
    netloc = urlsplit(address).netloc
    connection = socket.create_connection(netloc.split(":"), timeout=60)
    lines = [
        f"GET /jupyter/api/kernels/{uuid.uuid4()}/channels?session_id={uuid.uuid4()} HTTP/1.1",
        f"Host: {host or netloc}", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers,
    ]  # fmt: skip
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return int(connection.makefile("rb").readline().split()[1]), connection


def test_handshakes_of_other_websites_are_refused(address: str) -> None:
    port = urlsplit(address).port
    tries: list[tuple[int, list[str], str]] = [
        (OPEN, [], ""),
        (OPEN, [f"Origin: {address}"], ""),
        (OPEN, [f"Origin: http://localhost:{port}"], f"localhost:{port}"),
        (FORBIDDEN, [f"Origin: {EVIL}"], ""),
        (FORBIDDEN, [f"Origin: {EVIL}:{port}"], f"evil.example:{port}"),  # by a name made to point here
        (FORBIDDEN, [], f"evil.example:{port}"),
        (FORBIDDEN, ["Origin: null"], ""),
        (FORBIDDEN, [f"Origin: http://localhost:{(port or 0) + 1}"], ""),
    ]
    for wanted, headers, host in tries:
        found, connection = handshake(address, *headers, host=host)
        connection.close()
        assert found == wanted, (headers, host)


def answer(address: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_requests_by_a_foreign_name_are_refused_with_the_reason(address: str) -> None:
    assert answer(address)[0] == 200
    assert '<html lang="en">' in answer(address)[1]
    code, why = answer(address, Host="evil.example")
    assert (code, len(why.splitlines())) == (FORBIDDEN, 1)
    assert "--host NAME" in why
    assert answer(f"{address}/_solara/api/close/x?session_id=y", Origin=EVIL)[0] == FORBIDDEN
    assert answer(address, **{"X-Forwarded-Host": "evil.example"})[0] == 200


def test_too_many_pages_of_an_address_are_refused_until_some_are_left(address: str) -> None:
    wait_until(lambda: answer(f"{address}/resourcez")[1].count('"total": 0'))  # those of other tests are gone
    mine = [handshake(address, f"X-Forwarded-For: 192.0.2.{number}") for number in range(MOST_PAGES)]
    assert {code for code, _ in mine} == {OPEN}
    assert handshake(address)[0] == TOO_MANY
    assert handshake(address, "X-Forwarded-For: 192.0.2.99")[0] == TOO_MANY  # only its word for it
    code, why = answer(address)
    assert code == TOO_MANY
    assert f"{MOST_PAGES} pages open" in why
    for _, connection in mine:
        connection.close()
    wait_until(lambda: answer(address)[0] == 200)  # nobody closed the pages: they were left


def test_whoever_vanishes_is_kept_for_minutes_not_for_a_day() -> None:
    """The server above shows that this is the time after which pages that were left are forgotten."""
    assert serving.VISIT_ENDS.endswith("m")
    assert 1 <= int(serving.VISIT_ENDS.removesuffix("m")) <= 10
