"""HTTP details: proxies, redirects, multipart bodies."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

__all__ = ["multipart", "opener_for"]


class _SameHostAuthorization(HTTPRedirectHandler):
    """Follows redirects without sending the key to another host."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        """Return the request that follows ``req``."""
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            following.remove_header("Authorization")
        return following


def opener_for(base_url: str) -> OpenerDirector:
    """Return a URL opener that uses the proxy settings, except for loopback addresses."""
    if urlsplit(base_url).hostname in {"localhost", "127.0.0.1", "::1"}:
        return build_opener(_SameHostAuthorization, ProxyHandler({}))
    return build_opener(_SameHostAuthorization)


def multipart(fields: Mapping[str, str], image: tuple[bytes, str] | None) -> tuple[bytes, str]:
    """Return ``fields`` and ``image`` (bytes, media type) as multipart/form-data, and its type."""
    boundary = uuid.uuid4().hex
    return b"".join(_parts(fields, image, boundary)), f"multipart/form-data; boundary={boundary}"


def _parts(
    fields: Mapping[str, str], image: tuple[bytes, str] | None, boundary: str
) -> Iterator[bytes]:
    for name, value in fields.items():
        yield (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        ).encode()
    if image is not None:
        data, kind = image
        suffix = kind.rpartition("/")[2].replace("jpeg", "jpg")
        yield (
            f'--{boundary}\r\nContent-Disposition: form-data; name="input_reference"; '
            f'filename="start.{suffix}"\r\nContent-Type: {kind}\r\n\r\n'
        ).encode()
        yield data + b"\r\n"
    yield f"--{boundary}--\r\n".encode()
