"""Videos as a labelled matrix played in sync: one offline page, or one composed mp4.

Knows only labels and video files.
"""

from __future__ import annotations

import base64
import html
import math
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from workbench.engines.encoder import VideoWriter
from workbench.engines.probe import decode_video, probe_video
from workbench.errors import Conflict

__all__ = ["Layout", "matrix_page", "write_matrix_video"]

Picture = npt.NDArray[Any]

_GAP: Final = 6
_LINE: Final = 18
_MARGIN: Final = 170
_PAPER: Final = 250
_EMPTY: Final = 225
_INK: Final = (40, 40, 40)
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_CHAR: Final = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout: row and column headers, and for each position the cell's number."""

    columns: tuple[str, ...]
    rows: tuple[str, ...]
    """Of several lines each if there are several row axes."""
    places: Mapping[tuple[int, int], int]
    """(row, column) → the cell's index; missing if it was not rendered."""

    @classmethod
    def of(cls, labels: Sequence[Mapping[str, str]], across: str) -> Layout:
        """Arrange cells by their labels: the axis ``across`` as columns, the others as rows."""
        columns: dict[str, int] = {}
        rows: dict[str, int] = {}
        places: dict[tuple[int, int], int] = {}
        for number, own in enumerate(labels):
            column = f"{_name(across)}: {own[across]}"
            row = "\n".join(f"{_name(k)}: {v}" for k, v in own.items() if k != across)
            at = rows.setdefault(row, len(rows)), columns.setdefault(column, len(columns))
            places.setdefault(at, number)
        return cls(tuple(columns), tuple(rows), places)


def matrix_page(title: str, layout: Layout, files: Sequence[Path | None], width: int) -> str:
    """Return a page with every video embedded, ``width`` pixels wide, playing in sync.

    The page is self-contained: videos are data URIs, the script is inline. A cell without a video
    says so.
    """
    head = "".join(f"<th>{html.escape(column)}</th>" for column in layout.columns)
    body = []
    with tempfile.TemporaryDirectory() as folder:
        for r, row in enumerate(layout.rows):
            cells = []
            for c in range(len(layout.columns)):
                number = layout.places.get((r, c))
                path = files[number] if number is not None else None
                cells.append(f"<td>{_player(path, Path(folder), width)}</td>")
            label = "<br>".join(html.escape(line) for line in row.splitlines())
            body.append(f"<tr><th>{label}</th>{''.join(cells)}</tr>")
    template = resources.files("workbench.research").joinpath("matrix.html").read_text("utf-8")
    parts = {"title": html.escape(title), "width": str(width), "head": head, "body": "".join(body)}
    for name, text in parts.items():
        template = template.replace(f"<!--{name}-->", text)
    return template


def write_matrix_video(
    target: Path, layout: Layout, files: Sequence[Path | None], width: int
) -> Path:
    """Write the matrix as one mp4 at the frame rate of the first video; return its path.

    Raises ``Conflict`` if there is no video yet.
    """
    there = [path for path in files if path is not None]
    if not there:
        raise Conflict("No video of the grid has finished yet; try again when one has.")
    facts = [probe_video(path) for path in there]
    width = _by_four(width)
    height = _by_four(width * facts[0].height / facts[0].width)
    fps = facts[0].fps
    count = max(round(fact.duration_s * fps) for fact in facts) or 1
    sheet, corners = _sheet(layout, width, height)
    streams = {
        corner: _Reel(path, (width, height), fps)
        for place, corner in corners.items()
        if (path := files[layout.places[place]]) is not None
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(target, sheet.shape[1], sheet.shape[0], fps) as writer:
        for number in range(count):
            frame = sheet.copy()
            for (x, y), reel in streams.items():
                frame[y : y + height, x : x + width] = reel.at(number / fps)
            writer.write(frame)
    return target


class _Reel:
    """One video read forward: the frame at a given second, scaled to a size."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        self._frames: Iterator[Picture] = decode_video(path)
        self._rate = probe_video(path).fps or fps
        self._size = size
        self._shown = -1
        self._picture: Picture = np.zeros((size[1], size[0], 3), np.uint8)

    def at(self, second: float) -> Picture:
        wanted = int(second * self._rate + 1e-6)
        frame = None
        while self._shown < wanted:
            following = next(self._frames, None)
            if following is None:
                break
            self._shown += 1
            frame = following
        if frame is not None:
            self._picture = cv2.resize(frame, self._size, interpolation=cv2.INTER_AREA)
        return self._picture


def _sheet(
    layout: Layout, width: int, height: int
) -> tuple[Picture, dict[tuple[int, int], tuple[int, int]]]:
    """Return the background with its headers, and the top left corner of every cell."""
    names = [_wrapped(column, width // _CHAR) for column in layout.columns]
    top = _LINE * max(map(len, names)) + 2 * _GAP
    total = (
        top + len(layout.rows) * (height + _GAP),
        _MARGIN + len(layout.columns) * (width + _GAP),
    )
    paper: Picture = np.full((_by_four(total[0]), _by_four(total[1]), 3), _PAPER, np.uint8)
    for column, lines in enumerate(names):
        _print(paper, lines, _MARGIN + column * (width + _GAP), _GAP)
    corners = {}
    for row, label in enumerate(layout.rows):
        y = top + row * (height + _GAP)
        lines = [part for line in label.splitlines() for part in _wrapped(line, _MARGIN // _CHAR)]
        _print(paper, lines, _GAP, y)
        for column in range(len(layout.columns)):
            x = _MARGIN + column * (width + _GAP)
            paper[y : y + height, x : x + width] = _EMPTY
            if (row, column) in layout.places:
                corners[row, column] = (x, y)
    return paper, corners


def _print(paper: Picture, lines: Sequence[str], x: int, y: int) -> None:
    for number, line in enumerate(lines):
        # OpenCV draws only ASCII letters
        plain = unicodedata.normalize("NFKD", line).encode("ascii", "ignore").decode()
        at = (x, y + _LINE * (number + 1) - 5)
        cv2.putText(paper, plain, at, _FONT, 0.42, _INK, 1, cv2.LINE_AA)


def _wrapped(text: str, length: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > length:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _player(path: Path | None, folder: Path, width: int) -> str:
    if path is None:
        return '<div class="empty">no video</div>'
    small = folder / "small.mp4"
    facts = probe_video(path)
    if facts.width <= width:
        data = path.read_bytes()
    else:
        size = (_by_four(width), _by_four(width * facts.height / facts.width))
        with VideoWriter(small, *size, facts.fps) as writer:
            for frame in decode_video(path):
                writer.write(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))
        data = small.read_bytes()
    source = base64.b64encode(data).decode()
    return f'<video muted playsinline preload="auto" src="data:video/mp4;base64,{source}"></video>'


def _by_four(size: float) -> int:
    """Return ``size`` rounded up to a multiple of four, which keeps chroma aligned."""
    return 4 * math.ceil(size / 4)


def _name(axis: str) -> str:
    return axis.replace("_", " ")
