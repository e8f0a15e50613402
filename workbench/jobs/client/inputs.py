"""Uploaded pictures and videos that renders start from, stored beside the jobs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from workbench.engines.inputs import InputFacts, ending_of, inspect_input
from workbench.errors import DamagedFile, InvalidRequest, NotFound
from workbench.identifiers import Kind, is_identifier, new_identifier
from workbench.jobs.paths import JobPaths

__all__ = ["Input", "Inputs"]


@dataclass(frozen=True, slots=True)
class Input:
    """One stored picture or video."""

    input_id: str
    path: Path
    facts: InputFacts


class Inputs:
    """The inputs of one outputs/ folder."""

    def __init__(self, paths: JobPaths) -> None:
        self._folder = paths.inputs

    def keep(self, data: bytes) -> Input:
        """Store a picture or video and return it with its id.

        Raises ``InvalidRequest`` if it cannot be decoded.
        """
        name = new_identifier(Kind.INPUT)
        path = self._folder / f"{name}{ending_of(data)}"
        self._folder.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}")
        try:
            with aside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            facts = inspect_input(aside)
            aside.replace(path)
        except DamagedFile as error:
            form = path.suffix[1:].upper()
            text = f"What was sent does not open as {form}; it may be damaged or cut off."
            raise InvalidRequest(text) from error
        finally:
            aside.unlink(missing_ok=True)
        return Input(name, path, facts)

    def path(self, input_id: str) -> Path:
        """Return the path of an input; raises ``NotFound``."""
        if is_identifier(input_id, Kind.INPUT):
            for path in self._folder.glob(f"{input_id}.*"):
                return path
        raise NotFound("input", input_id)
