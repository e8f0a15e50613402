"""A robot's actions as one row of numbers per step: Cosmos 3's action sequences.

Knows the file formats of actions; no model.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from workbench.control.conversion import MAX_FRAMES, Converted, Finite, invalid, validated
from workbench.control.embodiment import embodiments
from workbench.control.files import (
    NPY_MAGIC,
    parse_json,
    parse_npy,
    parse_numbers,
    read_bounded,
    text_of,
)
from workbench.control.rotation import Array

__all__ = [
    "ActionSequence",
    "actions_from_bytes",
    "actions_to_csv",
    "actions_to_npy",
    "read_actions",
]

_LARGEST: Final = 1e4


class ActionSequence(BaseModel):
    """Actions of one embodiment, one per step: row t leads from frame t to frame t + 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["actions"] = "actions"
    embodiment: str
    """A name that :func:`embodiments` knows."""
    values: Annotated[tuple[tuple[Finite, ...], ...], Field(min_length=1, max_length=MAX_FRAMES)]
    """Shape (T, D): D is the embodiment's width."""
    fps: Finite | None = Field(None, gt=0, le=1_000)
    """Steps per second; None if unknown."""

    @field_validator("embodiment")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in embodiments():
            raise ValueError(
                f"{name[:40]!r} is not an embodiment; known: {', '.join(embodiments())}"
            )
        return name

    @model_validator(mode="after")
    def _is_as_wide_as_the_embodiment(self) -> Self:
        width = embodiments()[self.embodiment].width
        for number, row in enumerate(self.values):
            if len(row) != width:
                raise ValueError(
                    f"row {number} has {len(row)} numbers; {self.embodiment} takes {width}"
                )
            if max(map(abs, row)) > _LARGEST:
                raise ValueError(f"row {number} has a number beyond ±{_LARGEST:g}")
        return self

    @classmethod
    def of(cls, values: npt.ArrayLike, embodiment: str, *, fps: float | None = None) -> Self:
        """Return the sequence of ``values`` (T, D); raises ``InvalidRequest``."""
        try:
            rows = np.asarray(values, dtype=np.float64)
        except (ValueError, TypeError, OverflowError) as error:
            raise invalid("values", f"are not a table of numbers: {error}") from error
        if rows.ndim != 2:
            raise invalid("values", f"must have shape (T, D); got {rows.shape}")
        if len(rows) > MAX_FRAMES:
            raise invalid("values", f"may have {MAX_FRAMES} rows at most; got {len(rows)}")
        data = {"embodiment": embodiment, "values": rows.tolist(), "fps": fps}
        return validated(cls, data, "actions")

    @property
    def array(self) -> Array:
        """The actions, shape (T, D), ``float64``."""
        return np.array(self.values)

    def fitted(self, steps: int) -> Converted[Self]:
        """Return the sequence with ``steps`` rows, as Cosmos 3 does: cut, or the last one repeated."""
        if not 1 <= steps <= MAX_FRAMES:
            raise invalid("steps", f"must be 1 to {MAX_FRAMES}")
        have = len(self.values)
        if have == steps:
            return Converted(self)
        rows = self.values[:steps] + self.values[-1:] * (steps - have)
        note = (
            f"{have - steps} actions at the end are left out."
            if have > steps
            else f"The last action is repeated {steps - have} times."
        )
        return Converted(self.model_copy(update={"values": rows}), (note,))


def read_actions(
    path: Path, embodiment: str | None = None, *, fps: float | None = None
) -> ActionSequence:
    """Return the actions in the NPY, CSV or JSON file at ``path``, identified by their first bytes.

    NPY and CSV hold only numbers: ``embodiment`` must be given; JSON may name its own, and a
    different one is rejected. Raises ``InvalidRequest`` that names the row and column at fault.
    """
    return actions_from_bytes(read_bounded(path), path.name, embodiment, fps=fps)


def actions_from_bytes(
    data: bytes, name: str, embodiment: str | None = None, *, fps: float | None = None
) -> ActionSequence:
    """Return the actions in ``data`` as :func:`read_actions` does; ``name`` is for its errors."""
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if data.startswith(NPY_MAGIC):
        return _of_numbers(parse_npy(data, name), embodiment, fps)
    if start[:1] in {b"{", b"["}:
        return _of_json(parse_json(data, name), embodiment, fps, name)
    return _of_numbers(_parse_csv(text_of(data, name), name), embodiment, fps)


def actions_to_npy(actions: ActionSequence) -> Converted[bytes]:
    """Return the actions as an NPY file of ``float64``, shape (T, D)."""
    file = io.BytesIO()
    np.lib.format.write_array(file, actions.array, allow_pickle=False)
    return Converted(file.getvalue(), _lost(actions, "NPY"))


def actions_to_csv(actions: ActionSequence) -> Converted[str]:
    """Return the actions as CSV, one row per step, exact to the last digit."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(map(repr, row) for row in actions.values)
    return Converted(file.getvalue(), _lost(actions, "CSV"))


def _lost(actions: ActionSequence, form: str) -> tuple[str, ...]:
    rate = "" if actions.fps is None else f" and the rate of {actions.fps:g} steps per second"
    return (
        f"{form} contains only numbers: the embodiment {actions.embodiment}{rate} are not in it.",
    )


def _of_numbers(values: Any, embodiment: str | None, fps: float | None) -> ActionSequence:
    if embodiment is None:
        raise invalid("embodiment", f"must be named; known: {', '.join(embodiments())}")
    return ActionSequence.of(values, embodiment, fps=fps)


def _of_json(document: Any, embodiment: str | None, fps: float | None, name: str) -> ActionSequence:
    if isinstance(document, list):
        return _of_numbers(document, embodiment, fps)
    for key, value in {"embodiment": embodiment, "fps": fps}.items():
        if value is not None and document.setdefault(key, value) != value:
            raise invalid(f"{name}.{key}", f"differs from the requested {value!r}")
    return validated(ActionSequence, document, name)


def _parse_csv(text: str, name: str) -> list[list[float]]:
    first = text.lstrip().split("\n", 1)[0]
    delimiter = next((mark for mark in ",;\t" if mark in first), ",")
    rows: list[list[float]] = []
    try:
        for number, words in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1):
            cells = [word.strip() for word in words]
            if not any(cells) or (not rows and number == 1 and _is_header(cells)):
                continue
            rows.append(parse_numbers(cells, f"{name}, line {number}"))
            if len(rows) > MAX_FRAMES:
                raise invalid(name, f"has more than {MAX_FRAMES} rows")
            if len(rows[-1]) != len(rows[0]):
                found, wanted = len(rows[-1]), len(rows[0])
                raise invalid(f"{name}, line {number}", f"has {found} columns, not {wanted}")
    except csv.Error as error:
        raise invalid(name, f"is not a CSV file: {error}") from error
    if not rows:
        raise invalid(name, "has no row of numbers")
    return rows


def _is_header(cells: list[str]) -> bool:
    def is_word(cell: str) -> bool:
        try:
            float(cell)
        except ValueError:
            return True
        return False

    return all(map(is_word, cells))
