"""Finds language-model servers on this machine, and asks an endpoint which models it has.

Knows the OpenAI protocol's ``/models`` and nothing of prompts. Requests to loopback bypass proxies.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, Field, ValidationError

from workbench.errors import FieldProblem, InvalidRequest, LanguageModelError

__all__ = [
    "FoundServer",
    "KnownServer",
    "find_servers",
    "known_servers",
    "list_models",
    "normal_url",
]

_DISCOVERY_S: Final = 0.2
"""Maximum wait for all local servers: with the client's start a search takes at most 0.3 s."""
_LISTING_S: Final = 10.0
_LARGEST_LISTING: Final = 1 << 20
_MOST_MODELS: Final = 500


@dataclass(frozen=True, slots=True)
class KnownServer:
    """A program that serves language models, and the port it listens on by default."""

    name: str
    port: int
    owned_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundServer:
    """A server that answers, and its models in its own order.

    ``needs_key`` is true where the server lists its models only with a key.
    """

    name: str
    base_url: str
    models: tuple[str, ...] = ()
    needs_key: bool = False


class _Model(BaseModel):
    id: str = Field(min_length=1, max_length=500)
    owned_by: str | None = None


class _Listing(BaseModel):
    data: list[_Model]


@cache
def known_servers() -> tuple[KnownServer, ...]:
    """Return the servers to look for."""
    text = resources.files(__package__).joinpath("servers.toml").read_text("utf-8")
    return tuple(
        KnownServer(one["name"], one["port"], tuple(one["owned_by"]))
        for one in tomllib.loads(text)["server"]
    )


async def find_servers(
    servers: Sequence[KnownServer] | None = None, *, timeout_s: float = _DISCOVERY_S
) -> tuple[FoundServer, ...]:
    """Return the servers that answer on loopback within ``timeout_s``, in the order looked for.

    Only a server that returns a valid model list counts.
    """
    looked_for = known_servers() if servers is None else tuple(servers)
    limits = httpx.Timeout(timeout_s)
    # Plain HTTP on loopback: reading certificates would hold the event loop for a while.
    no_certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with httpx.AsyncClient(trust_env=False, timeout=limits, verify=no_certificates) as client:
        asked = [asyncio.create_task(_probe(client, server)) for server in looked_for]
        if not asked:
            return ()
        await asyncio.wait(asked, timeout=timeout_s)
        for task in asked:
            task.cancel()
        found = await asyncio.gather(*asked, return_exceptions=True)
    return tuple(one for one in found if isinstance(one, FoundServer))


async def list_models(
    base_url: str, api_key: str = "", *, timeout_s: float = _LISTING_S
) -> tuple[str, ...]:
    """Return the names of the models at ``base_url``, such as ``http://host:8000/v1``.

    Raises ``InvalidRequest`` for an invalid address, and ``LanguageModelError``, with what to do,
    for an endpoint that refuses, does not answer, or answers with something else.
    """
    url = normal_url(base_url)
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        async with (
            asyncio.timeout(timeout_s),
            httpx.AsyncClient(trust_env=not _is_loopback(url), timeout=timeout_s) as client,
        ):
            listing = await _ask(client, url, headers)
    except TimeoutError:
        raise LanguageModelError(f"{url} did not answer within {timeout_s:g} s.") from None
    except httpx.HTTPStatusError as error:
        raise LanguageModelError(_refusal(url, error.response.status_code)) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        kind = type(error).__name__
        raise LanguageModelError(
            f"{url} cannot be reached ({kind}). Is the server running?"
        ) from None
    except (ValidationError, ValueError):
        problem = f"{url}/models did not answer with a model list. Does the address end in /v1?"
        raise LanguageModelError(problem) from None
    return tuple(model.id for model in listing.data[:_MOST_MODELS])


def normal_url(text: str) -> str:
    """Return an endpoint's address without white space, query and closing slash.

    ``host:port`` alone becomes ``http://host:port/v1``. Raises ``InvalidRequest`` for anything but
    an http or https address, and for one that carries a password.
    """
    bare = "".join(text.split())
    bare = bare if "://" in bare else f"http://{bare}"
    problem = ""
    try:
        parts = urlsplit(bare)
        host, _port = parts.hostname, parts.port
        httpx.URL(bare)
    except (ValueError, httpx.InvalidURL):
        problem = "is no address"
    else:
        if parts.scheme not in {"http", "https"} or not host:
            problem = "must be an http:// or https:// address, such as http://127.0.0.1:8000/v1"
        elif parts.username or parts.password:
            problem = "must not contain a password; give the key on its own"
    if problem:
        raise InvalidRequest(f"The address {problem}.", (FieldProblem("base_url", problem),))
    path = parts.path.rstrip("/").removesuffix("/chat/completions").removesuffix("/models")
    return f"{parts.scheme}://{parts.netloc}{path or '/v1'}"


async def _probe(client: httpx.AsyncClient, server: KnownServer) -> FoundServer | None:
    url = f"http://127.0.0.1:{server.port}/v1"
    try:
        listing = await _ask(client, url, {})
    except httpx.HTTPStatusError as error:
        if error.response.status_code in {401, 403} and _speaks_json(error.response):
            return FoundServer(server.name, url, needs_key=True)
        return None
    except (httpx.HTTPError, OSError, ValidationError, ValueError):
        return None
    name = _name_of(listing) or server.name
    return FoundServer(name, url, tuple(model.id for model in listing.data[:_MOST_MODELS]))


async def _ask(client: httpx.AsyncClient, url: str, headers: dict[str, str]) -> _Listing:
    """Return the model list; raises ``ValueError`` if it is too large or invalid."""
    body = bytearray()
    async with client.stream("GET", f"{url}/models", headers=headers) as response:
        response.raise_for_status()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > _LARGEST_LISTING:
                raise ValueError("The model list is too large.")
    return _Listing.model_validate_json(bytes(body))


def _name_of(listing: _Listing) -> str:
    owners = {(model.owned_by or "").lower() for model in listing.data}
    return next((s.name for s in known_servers() if owners & set(s.owned_by)), "")


def _speaks_json(response: httpx.Response) -> bool:
    kind: Any = response.headers.get("Content-Type", "")
    return "json" in kind


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refusal(url: str, status: int) -> str:
    if status in {401, 403}:
        return f"{url} wants a key, or a different one (status {status})."
    if status == 404:
        return f"{url} has no /models (status 404). Does the address end in /v1?"
    return f"{url} answered with status {status}."
