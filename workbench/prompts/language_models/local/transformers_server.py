"""The process that serves a local language model over HTTP on loopback.

Speaks the chat-completions protocol behind a key that only this user can read. Exits when idle.
The only module of the prompt side that imports transformers.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from workbench.prompts.language_models.local.server_file import publish, sole_server

__all__ = ["Answer", "LocalModel", "Model", "main", "serve"]

_MAX_NEW_TOKENS: Final = 1_200
_LARGEST_BODY: Final = 1 << 20
_CHECK_S: Final = 1.0


class Answer(NamedTuple):
    """A model's answer, why it ended (``stop`` or ``length``), and the prompt and answer tokens."""

    text: str
    ended: str
    tokens_given: int
    tokens_made: int


class LocalModel:
    """A causal language model and its tokenizer; answers one question at a time."""

    def __init__(self, model: str, *, allow_hub: bool) -> None:
        import torch  # noqa: PLC0415  seconds of import, in this process alone
        from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

        options: dict[str, Any] = {"local_files_only": not allow_hub, "trust_remote_code": False}
        if model.lower().endswith(".gguf"):
            options["gguf_file"] = Path(model).name
            model = str(Path(model).parent)
        self._torch = torch
        self._tokenizer = AutoTokenizer.from_pretrained(model, **options)
        self._model = AutoModelForCausalLM.from_pretrained(model, dtype="auto", **options)
        self._model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        self._guard = threading.Lock()

    def answer(
        self,
        messages: list[dict[str, str]],
        max_tokens: int,
        tell: Callable[[str], None] | None = None,
    ) -> Answer:
        """Return the answer to ``messages``.

        ``tell`` is called with each piece of text as it is generated; its errors end generation.
        """
        if getattr(self._tokenizer, "chat_template", None):
            text = self._tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True
            )
        else:
            text = "\n\n".join(f"{m['role']}: {m['content']}" for m in messages) + "\n\nassistant:"
        with self._guard, self._torch.inference_mode():
            asked = self._tokenizer(text, return_tensors="pt").to(self._model.device)
            longest = getattr(self._model.config, "max_position_embeddings", None) or 1 << 20
            room = max(1, min(max_tokens, longest - asked["input_ids"].shape[1]))
            made = self._model.generate(
                input_ids=asked["input_ids"][:, -longest + room :],
                max_new_tokens=room,
                do_sample=False,
                pad_token_id=self._tokenizer.eos_token_id or 0,
                streamer=_Pieces(self._text, tell) if tell else None,
            )
        fresh = made[0][asked["input_ids"][:, -longest + room :].shape[1] :]
        ended = "length" if len(fresh) >= room else "stop"
        given = int(asked["input_ids"].shape[1])
        return Answer(self._text(fresh.tolist()), ended, given, len(fresh))

    def _text(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True)
        return text


class _Pieces:
    """Streams a text in pieces while it is generated; an incomplete character is held back."""

    def __init__(self, text_of: Callable[[list[int]], str], tell: Callable[[str], None]) -> None:
        self._text_of, self._tell = text_of, tell
        self._tokens: list[int] | None = None
        self._told = ""

    def put(self, value: Any) -> None:
        """Skip the prompt, then take token after token."""
        if self._tokens is None:
            self._tokens = []
            return
        self._tokens += value.flatten().tolist()
        text = self._text_of(self._tokens)
        if not text.endswith("\N{REPLACEMENT CHARACTER}"):
            self._tell_up_to(text)

    def end(self) -> None:
        """Send what was held back."""
        self._tell_up_to(self._text_of(self._tokens or []))

    def _tell_up_to(self, text: str) -> None:
        piece, self._told = text[len(self._told) :], text
        if piece:
            self._tell(piece)


class Model(Protocol):
    """The interface of a served model."""

    def answer(
        self,
        messages: list[dict[str, str]],
        max_tokens: int,
        tell: Callable[[str], None] | None = None,
    ) -> Answer:
        """Return the answer to ``messages``; ``tell`` gets each piece as it is generated."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, model: Model, name: str, key: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model, self.name, self.key = model, name, key
        self.last_used = time.monotonic()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.server.last_used = time.monotonic()
        length = int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Authorization") != f"Bearer {self.server.key}":
            self._tell(401, {"error": {"message": "wrong key"}})
            return
        if self.path != "/v1/chat/completions" or not 0 < length <= _LARGEST_BODY:
            self._tell(404, {"error": {"message": "only chat completions are served"}})
            return
        try:
            asked = json.loads(self.rfile.read(length))
            messages = [
                {"role": str(m["role"]), "content": str(m["content"])} for m in asked["messages"]
            ]
            wanted = min(int(asked.get("max_tokens") or _MAX_NEW_TOKENS), _MAX_NEW_TOKENS)
        except (ValueError, KeyError, TypeError):
            self._tell(400, {"error": {"message": "not a chat completion request"}})
            return
        if asked.get("stream"):
            with contextlib.suppress(ConnectionError):  # the client has disconnected
                self._stream(messages, wanted)
        else:
            answer = self.server.model.answer(messages, wanted)
            message = {"message": {"role": "assistant", "content": answer.text}}
            self._tell(200, self._completion("chat.completion", message, answer))
        self.server.last_used = time.monotonic()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Log nothing: prompts do not belong in a log."""

    def _stream(self, messages: list[dict[str, str]], wanted: int) -> None:
        """Answer with server-sent events, one for each piece, and close the connection."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()

        def tell(piece: str) -> None:
            self._tell_event({"delta": {"content": piece}})

        self._tell_event({"delta": {}}, self.server.model.answer(messages, wanted, tell))
        self.wfile.write(b"data: [DONE]\n\n")

    def _tell_event(self, choice: dict[str, Any], answer: Answer | None = None) -> None:
        self.server.last_used = time.monotonic()
        event = json.dumps(self._completion("chat.completion.chunk", choice, answer))
        self.wfile.write(f"data: {event}\n\n".encode())

    def _completion(
        self, kind: str, choice: dict[str, Any], answer: Answer | None
    ) -> dict[str, Any]:
        """Return a completion, or a chunk of one; only the last has finish reason and counts."""
        document: dict[str, Any] = {
            "id": f"chatcmpl-{secrets.token_hex(8)}",
            "object": kind,
            "created": int(time.time()),
            "model": self.server.name,
            "choices": [{"index": 0, "finish_reason": answer and answer.ended, **choice}],
        }
        if answer is not None:
            document["usage"] = {
                "prompt_tokens": answer.tokens_given,
                "completion_tokens": answer.tokens_made,
                "total_tokens": answer.tokens_given + answer.tokens_made,
            }
        return document

    def _tell(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(data)


def serve(model: str, file: Path, *, idle_exit_s: float, load: Callable[[], Model]) -> None:
    """``load`` the model named ``model`` and serve it until idle for ``idle_exit_s``.

    ``file`` receives the address and key when the model is ready.
    """
    with sole_server(file) as is_sole:
        if not is_sole:
            return
        server = _Server(load(), model, secrets.token_urlsafe(32))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/v1"
        publish(file, base_url=address, key=server.key, model=model)
        try:
            while time.monotonic() - server.last_used < idle_exit_s:
                time.sleep(_CHECK_S)
        finally:
            server.shutdown()


def main() -> None:
    """Serve a model as the command line says."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--server-file", type=Path, required=True)
    parser.add_argument("--idle-exit-s", type=float, default=600.0)
    parser.add_argument("--allow-hub", action="store_true")
    asked = parser.parse_args()

    def load() -> LocalModel:
        return LocalModel(asked.model, allow_hub=asked.allow_hub)

    serve(asked.model, asked.server_file, idle_exit_s=asked.idle_exit_s, load=load)


if __name__ == "__main__":
    main()
