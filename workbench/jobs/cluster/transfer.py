"""Fetches a render's files from another machine into its attempt's folder, checked by digest.

The folder is created when the job is assigned, and removed when the attempt is no longer the
current one: a late arrival finds no folder and is not published.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import BinaryIO, Final

from workbench.jobs.messages import Artifact, OutputPart, Render, Rendered
from workbench.jobs.paths import JobFiles
from workbench.jobs.publishing import sync_folder
from workbench.rendering import named_inputs

__all__ = [
    "CHUNK_BYTES",
    "Damaged",
    "Progressed",
    "fetch",
    "inputs_of",
    "keep_output",
    "parts_of",
]

CHUNK_BYTES: Final = 4 << 20
_TRIES: Final = 2

Chunk = Callable[[str, int, int], Awaitable[bytes]]
"""Requests a part of a file: name, offset and length in bytes."""
Progressed = Callable[[int, int], None]
"""Receives the bytes fetched and the total."""


class Damaged(Exception):
    """A file was damaged in transit twice."""


async def fetch(rendered: Rendered, files: JobFiles, chunk: Chunk, progressed: Progressed) -> None:
    """Fetch every file of ``rendered`` into its attempt's folder, synced to disk, the recipe last.

    Raises ``Damaged``, ``OSError`` if they cannot be stored here, and what ``chunk`` raises.
    """
    folder = files.attempt(rendered.attempt).folder
    if all(artifact.data is not None for artifact in rendered.artifacts):
        await asyncio.to_thread(_keep_all, folder, rendered.artifacts)
        return
    total = sum(artifact.size_bytes for artifact in rendered.artifacts)
    here = 0
    _check_names(rendered.artifacts)
    for artifact in rendered.artifacts:

        def note(count: int, before: int = here) -> None:
            progressed(before + count, total)

        for left in reversed(range(_TRIES)):
            if await _fetch_one(artifact, folder / artifact.name, chunk, note):
                break
            if not left:
                raise Damaged(f"{artifact.name} was damaged in transit")
        here += artifact.size_bytes
    await asyncio.to_thread(sync_folder, folder)


async def _fetch_one(
    artifact: Artifact, path: Path, chunk: Chunk, note: Callable[[int], None]
) -> bool:
    if artifact.data is not None:
        return await asyncio.to_thread(_keep, path, artifact)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        offset = 0
        while offset < artifact.size_bytes:
            data = await chunk(artifact.name, offset, CHUNK_BYTES)
            if not data:
                return False
            await asyncio.to_thread(_append, file, digest.update, data)
            offset += len(data)
            note(offset)
        await asyncio.to_thread(_sync, file)
    return offset == artifact.size_bytes and digest.hexdigest() == artifact.sha256


def inputs_of(order: Render) -> list[str]:
    """Return the input files of a render on this machine."""
    options = order.recipe.get("request", {}).get("options", {})
    return [path for _, path in named_inputs(options)]


async def parts_of(path: Path) -> AsyncIterator[tuple[int, bytes]]:
    """Yield a file in chunks, each with its offset; raises ``OSError``."""
    with path.open("rb") as file:
        offset = 0
        while data := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield offset, data
            offset += len(data)


def keep_output(files: JobFiles, part: OutputPart) -> None:
    """Add to the job's log, or replace the preview of the attempt; raises ``OSError``."""
    if part.kind == "log":
        with files.log.open("ab") as file:
            file.write(part.data)
        return
    attempt = files.attempt(part.attempt)
    aside = attempt.folder / ".preview"
    aside.write_bytes(part.data)
    aside.replace(attempt.preview)


def _check_names(artifacts: tuple[Artifact, ...]) -> None:
    for artifact in artifacts:
        if Path(artifact.name).name != artifact.name:
            raise Damaged(f"{artifact.name!r} is not a file name")


def _keep_all(folder: Path, artifacts: tuple[Artifact, ...]) -> None:
    """Write the files that arrived whole in one step, as for a small video."""
    _check_names(artifacts)
    for artifact in artifacts:
        if not _keep(folder / artifact.name, artifact):
            raise Damaged(f"{artifact.name} was damaged in transit")
    sync_folder(folder)


def _keep(path: Path, artifact: Artifact) -> bool:
    data = artifact.data or b""
    with path.open("wb") as file:
        file.write(data)
        _sync(file)
    return hashlib.sha256(data).hexdigest() == artifact.sha256


def _append(file: BinaryIO, digest: Callable[[bytes], None], data: bytes) -> None:
    digest(data)
    file.write(data)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
