"""Finding language-model servers on this machine, with real servers on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from workbench.errors import InvalidRequest, LanguageModelError
from workbench.prompts.language_models.discovery import (
    FoundServer,
    KnownServer,
    find_servers,
    known_servers,
    list_models,
    normal_url,
)

Reply = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(reply: Reply) -> Iterator[int]:
    """Serve ``reply`` to every GET on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reply(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            """Keep the test's output clean."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    try:
        yield httpd.server_address[1]
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def answers(status: int, body: bytes, kind: str = "application/json") -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def models(*names: str, owned_by: str = "somebody") -> bytes:
    data = [{"id": name, "object": "model", "owned_by": owned_by} for name in names]
    return json.dumps({"object": "list", "data": data}).encode()


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def found_at(*ports: int, timeout_s: float = 20.0) -> tuple[FoundServer, ...]:
    looked_for = [KnownServer(f"Server {n}", port) for n, port in enumerate(ports)]
    return asyncio.run(find_servers(looked_for, timeout_s=timeout_s))


def test_a_server_that_answers_is_found_with_its_models() -> None:
    with server(answers(200, models("qwen3:8b", "llava"))) as port:
        assert found_at(closed_port(), port) == (
            FoundServer("Server 1", f"http://127.0.0.1:{port}/v1", ("qwen3:8b", "llava")),
        )


def test_a_server_is_named_by_what_its_models_say_where_several_use_the_port() -> None:
    with server(answers(200, models("m", owned_by="vllm"))) as port:
        (found,) = found_at(port)
    assert found.name == "vLLM"


def test_a_server_that_wants_a_key_is_found_and_says_so() -> None:
    with server(answers(401, b'{"error": "no key"}')) as port:
        (found,) = found_at(port)
    assert found.needs_key
    assert found.models == ()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>Jenkins</html>", "text/html"),
        (200, b"[1, 2, 3]", "application/json"),
        (200, b'{"data": "none"}', "application/json"),
        (200, b"\xff\xfe\x00", "application/json"),
        (200, b'{"data": [' + b'{"id": "m"},' * 200_000 + b'{"id": "m"}]}', "application/json"),
        (404, b"{}", "application/json"),
        (500, b"{}", "application/json"),
        (401, b"<html>log in</html>", "text/html"),
        (302, b"", "text/html"),
    ],
)
def test_what_is_no_language_model_server_is_left_out(status: int, body: bytes, kind: str) -> None:
    with server(answers(status, body, kind)) as port:
        assert found_at(port) == ()


def test_a_server_that_never_answers_does_not_hold_up_the_others() -> None:
    leave = threading.Event()

    def never(_handler: BaseHTTPRequestHandler) -> None:
        leave.wait(60)

    with (
        server(never) as silent,
        server(answers(200, models("m"))) as lively,
    ):
        try:
            found = found_at(silent, lively, timeout_s=3.0)
        finally:
            leave.set()
    assert [one.base_url for one in found] == [f"http://127.0.0.1:{lively}/v1"]


def test_local_servers_are_asked_past_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = f"http://127.0.0.1:{closed_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, nowhere)
    with server(answers(200, models("m"))) as port:
        assert len(found_at(port)) == 1
        assert asyncio.run(list_models(f"http://127.0.0.1:{port}/v1")) == ("m",)


def test_the_usual_servers_are_looked_for() -> None:
    assert {s.name for s in known_servers()} == {
        "Ollama",
        "LM Studio",
        "llama.cpp",
        "vLLM",
        "SGLang",
    }


def test_the_key_goes_to_the_endpoint_that_it_belongs_to() -> None:
    seen: list[str | None] = []

    def reply(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers.get("Authorization"))
        answers(200, models("m"))(handler)

    with server(reply) as port:
        asyncio.run(list_models(f"http://127.0.0.1:{port}/v1", "s3cret"))
        asyncio.run(list_models(f"http://127.0.0.1:{port}/v1"))
    assert seen == ["Bearer s3cret", None]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b"{}", "wants a key"),
        (404, b"{}", "/v1"),
        (500, b"{}", "status 500"),
        (200, b"<html>", "model list"),
    ],
)
def test_an_endpoint_that_does_not_list_models_says_why(
    status: int, body: bytes, said: str
) -> None:
    with (
        server(answers(status, body)) as port,
        pytest.raises(LanguageModelError, match=said) as told,
    ):
        asyncio.run(list_models(f"http://127.0.0.1:{port}/v1", "s3cret"))
    assert "s3cret" not in str(told.value)


def test_an_endpoint_that_is_not_there_says_so() -> None:
    with pytest.raises(LanguageModelError, match="cannot be reached"):
        asyncio.run(list_models(f"http://127.0.0.1:{closed_port()}/v1"))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        (" http://host:8000/v1/ \n", "http://host:8000/v1"),
        ("https://api.example.com/v1/chat/completions", "https://api.example.com/v1"),
        ("http://host/openai/v1/models", "http://host/openai/v1"),
        ("http://[::1]:8080", "http://[::1]:8080/v1"),
    ],
)
def test_an_address_is_taken_as_people_paste_it(typed: str, meant: str) -> None:
    assert normal_url(typed) == meant


@pytest.mark.parametrize(
    "typed", ["", "ftp://host/v1", "http://", "http://user:pw@host/v1", "http://h:99999999/v1", "file:///etc/passwd"]
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidRequest):
        normal_url(typed)
