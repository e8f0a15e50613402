"""Jupyter's own routes cannot reach outputs/."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application, HTTPError

from server_extension.guards import guard_outputs


def _get(path: str) -> HTTPServerRequest:
    line = RequestStartLine("GET", path, "HTTP/1.1")
    headers = HTTPHeaders({"Host": "localhost"})
    return HTTPServerRequest(start_line=line, headers=headers, connection=None)


def _guarded(root: Path) -> tuple[Application, Any]:
    (root / "outputs" / "j_0").mkdir(parents=True)
    (root / "outputs" / "j_0" / "poster.jpg").write_bytes(b"theirs")
    (root / "notebooks").mkdir()
    (root / "notebooks" / "note.txt").write_text("ours")
    (root / "notebooks" / "link.jpg").symlink_to(root / "outputs" / "j_0" / "poster.jpg")
    (root / "index.sqlite3-wal").touch()
    application = Application()
    manager = AsyncLargeFileManager(root_dir=str(root))
    guard_outputs(application, "/", manager, outputs=root / "outputs", index=root / "index.sqlite3")
    return application, manager


def test_the_file_browser_lists_all_but_outputs_and_the_index(tmp_path: Path) -> None:
    _, manager = _guarded(tmp_path)
    listed = asyncio.run(manager.get(""))["content"]
    assert [entry["name"] for entry in listed] == ["notebooks"]
    inside = asyncio.run(manager.get("notebooks"))["content"]
    assert [entry["name"] for entry in inside] == ["note.txt"]


@pytest.mark.parametrize(
    "path", ["outputs", "/outputs/j_0", "outputs/j_0/poster.jpg", "notebooks/link.jpg",
             "notebooks/../outputs/j_0/poster.jpg", "index.sqlite3-wal"],
)  # fmt: skip
def test_the_contents_manager_gives_no_access_to_outputs(tmp_path: Path, path: str) -> None:
    application, manager = _guarded(tmp_path)
    asks: tuple[Callable[[], Any], ...] = (
        lambda: manager.get(path),
        lambda: manager.copy(path, "notebooks"),
        lambda: manager.rename_file(path, "notebooks/taken"),
        lambda: manager.rename_file("notebooks/note.txt", path),
        lambda: manager.delete_file(path),
        lambda: manager.save({"type": "file", "format": "text", "content": ""}, path),
    )
    for ask in asks:
        with pytest.raises(HTTPError) as caught:
            asyncio.run(ask())
        assert caught.value.status_code == 404
    rule = application.default_router.rules[0]
    for route in ("/files/", "/voila/files/", "/api/contents/"):
        assert rule.matcher.match(_get(route + path)) is not None
        assert rule.matcher.match(_get(route + "notebooks/note.txt")) is None


def test_other_files_are_read_saved_and_copied_as_usual(tmp_path: Path) -> None:
    _, manager = _guarded(tmp_path)
    assert asyncio.run(manager.get("notebooks/note.txt"))["content"] == "ours"
    asyncio.run(manager.save({"type": "file", "format": "text", "content": "new"}, "a.txt"))
    asyncio.run(manager.copy("a.txt", "notebooks"))
    assert (tmp_path / "notebooks" / "a.txt").read_text() == "new"
