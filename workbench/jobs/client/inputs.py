"""Uploads for renders: images and videos to start from, camera paths; stored beside the jobs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workbench import control
from workbench.engines.inputs import (
    ACTIONS_SUFFIX,
    PATH_SUFFIX,
    InputFacts,
    ending_of,
    inspect_input,
)
from workbench.errors import Busy, DamagedFile, DiskFull, InvalidRequest, NotFound
from workbench.identifiers import Kind, is_identifier, new_identifier
from workbench.jobs.paths import JobPaths
from workbench.settings import Settings

__all__ = ["Input", "Inputs"]

_RETRY_S: Final = 3_600


@dataclass(frozen=True, slots=True)
class Input:
    """One stored image, video or camera path."""

    input_id: str
    path: Path
    facts: InputFacts


class Inputs:
    """The inputs of one outputs/ folder."""

    def __init__(self, paths: JobPaths, settings: Settings) -> None:
        self._folder = paths.inputs
        self._settings = settings

    def keep(self, data: bytes) -> Input:
        """Store an image or video and return it with its id.

        Raises ``InvalidRequest`` if it cannot be decoded, ``Busy`` while the settings allow no
        more uploads, ``DiskFull`` below the disk reserve.
        """
        try:
            return self._kept(data, ending_of(data), inspect_input)
        except DamagedFile as error:
            form = ending_of(data)[1:].upper()
            text = f"The upload cannot be opened as {form}; it may be damaged or truncated."
            raise InvalidRequest(text) from error

    def keep_camera_path(self, data: bytes) -> Input:
        """Store a camera path (JSON, NPZ, NPY or TUM text) as its JSON document.

        Raises ``InvalidRequest`` if it is not one, ``Busy`` and ``DiskFull`` as :meth:`keep` does.
        """
        path = control.path_from_bytes(data, "the camera path").value
        lens = path.intrinsics
        facts = InputFacts("camera_path", lens.width, lens.height, len(path.keyframes))
        return self._kept(control.control_json(path).encode(), PATH_SUFFIX, lambda _: facts)

    def keep_actions(self, data: bytes, embodiment: str | None = None) -> Input:
        """Store a robot's actions (NPY, CSV or JSON) as their JSON document.

        ``embodiment`` may be omitted if the JSON names it. Raises ``InvalidRequest`` if they are
        invalid, ``Busy`` and ``DiskFull`` as :meth:`keep` does.
        """
        actions = control.actions_from_bytes(data, "the actions", embodiment)
        facts = InputFacts("actions", 0, 0, len(actions.values))
        return self._kept(control.control_json(actions).encode(), ACTIONS_SUFFIX, lambda _: facts)

    def _kept(self, data: bytes, suffix: str, inspect: Callable[[Path], InputFacts]) -> Input:
        name = new_identifier(Kind.INPUT)
        path = self._folder / f"{name}{suffix}"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._check_room(len(data))
        aside = path.with_name(f".{path.name}")
        try:
            with aside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            facts = inspect(aside)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        return Input(name, path, facts)

    def _check_room(self, size_bytes: int) -> None:
        settings = self._settings
        with os.scandir(self._folder) as entries:
            kept = [entry.stat().st_size for entry in entries]
        if len(kept) >= settings.max_inputs or sum(kept) + size_bytes > settings.max_inputs_bytes:
            raise Busy(
                f"The limit on uploads is reached ({len(kept):,} files, {sum(kept) >> 20:,} MiB). "
                "Uploads that no job uses are removed after a day.",
                retry_after_s=_RETRY_S,
            )
        free = shutil.disk_usage(self._folder).free - size_bytes
        if free < settings.disk_reserve_bytes:
            raise DiskFull(
                f"The disk of {self._folder} has no room for this upload beside its reserve of "
                f"{settings.disk_reserve_bytes >> 20:,} MiB; remove some videos."
            )

    def path(self, input_id: str) -> Path:
        """Return the path of an input; raises ``NotFound``."""
        if is_identifier(input_id, Kind.INPUT):
            for path in self._folder.glob(f"{input_id}.*"):
                return path
        raise NotFound("input", input_id)
