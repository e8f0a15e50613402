"""The process that holds a local language model: loads it once, serves it over HTTP on loopback.

Speaks the chat-completions protocol, guarded by a key that only this user's files hold. Leaves when
nobody has asked for a while. The one module of the prompt side that imports transformers.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

__all__ = ["main", "serve"]

_MAX_NEW_TOKENS: Final = 1_200
_LARGEST_BODY: Final = 1 << 20
_CHECK_S: Final = 1.0


class LocalModel:
    """A causal language model and its tokenizer; answers one question at a time."""

    def __init__(self, model: str, *, allow_hub: bool) -> None:
        import torch  # noqa: PLC0415  seconds of import, in this process alone
        from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

        options: dict[str, Any] = {"local_files_only": not allow_hub, "trust_remote_code": False}
        self._torch = torch
        self._tokenizer = AutoTokenizer.from_pretrained(model, **options)
        self._model = AutoModelForCausalLM.from_pretrained(model, dtype="auto", **options)
        self._model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        self._guard = threading.Lock()

    def answer(self, messages: list[dict[str, str]], max_tokens: int) -> tuple[str, int, int]:
        """Return the text that follows ``messages`` and the tokens of both."""
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
            )
        fresh = made[0][asked["input_ids"][:, -longest + room :].shape[1] :]
        told: str = self._tokenizer.decode(fresh, skip_special_tokens=True)
        return told, int(asked["input_ids"].shape[1]), len(fresh)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, model: LocalModel, name: str, key: str) -> None:
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
            wanted = int(asked.get("max_tokens") or _MAX_NEW_TOKENS)
        except (ValueError, KeyError, TypeError):
            self._tell(400, {"error": {"message": "not a chat completion request"}})
            return
        text, given, made = self.server.model.answer(messages, min(wanted, _MAX_NEW_TOKENS))
        self.server.last_used = time.monotonic()
        self._tell(200, _completion(self.server.name, text, given, made))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Say nothing: prompts do not belong in a log."""

    def _tell(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(data)


def _completion(model: str, text: str, given: int, made: int) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{secrets.token_hex(8)}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": given,
            "completion_tokens": made,
            "total_tokens": given + made,
        },
    }


def serve(model: str, door: Path, *, idle_exit_s: float, allow_hub: bool = False) -> None:
    """Load ``model`` and serve it until nobody asks for ``idle_exit_s``.

    ``door`` is written when the model is ready and tells clients the way; there is at most one
    process for a door.
    """
    door.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(door.with_suffix(".lock"), timeout=0):
            server = _Server(
                LocalModel(model, allow_hub=allow_hub), model, secrets.token_urlsafe(32)
            )
            threading.Thread(target=server.serve_forever, daemon=True).start()
            _open_door(door, server)
            try:
                while time.monotonic() - server.last_used < idle_exit_s:
                    time.sleep(_CHECK_S)
            finally:
                door.unlink(missing_ok=True)
                server.shutdown()
    except Timeout:
        return


def _open_door(door: Path, server: _Server) -> None:
    told = {
        "pid": os.getpid(),
        "base_url": f"http://127.0.0.1:{server.server_address[1]}/v1",
        "key": server.key,
        "model": server.name,
    }
    aside = door.with_suffix(".new")
    aside.touch(mode=0o600)
    aside.write_text(json.dumps(told), "utf-8")
    aside.replace(door)


def main() -> None:
    """Serve a model as the command line says."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--door", type=Path, required=True)
    parser.add_argument("--idle-exit-s", type=float, default=600.0)
    parser.add_argument("--allow-hub", action="store_true")
    asked = parser.parse_args()
    serve(asked.model, asked.door, idle_exit_s=asked.idle_exit_s, allow_hub=asked.allow_hub)


if __name__ == "__main__":
    main()
