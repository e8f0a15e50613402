"""Draws the contact sheet of docs/animatic.jpg: seventy-two scenes, one frame of each.

Run ``python -m benchmarks.contact_sheet`` after a change to the animatic's drawing, and look at the
result.
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from workbench.engines.animatic.film import Film
from workbench.engines.animatic.reading import read_scene
from workbench.engines.pixels import Image, to_rgb
from workbench.scene import Scene

__all__ = ["contact_sheet"]

_TILE: Final = (640, 368)
_SHOWN: Final = (320, 184)
_COLUMNS: Final = 8
_FRAMES, _FRAME = 49, 20


def contact_sheet(scenes: list[Scene], shown: tuple[int, int] = _SHOWN) -> Image:
    """Return one picture (RGB) of all ``scenes``, eight to a row, each ``shown`` pixels in size."""
    tiles = []
    for number, scene in enumerate(scenes):
        film = Film(read_scene(scene, number), *_TILE, _FRAMES, 24)
        rgb = to_rgb(film.frame(_FRAME).planes)
        tiles.append(cv2.resize(rgb, shown, interpolation=cv2.INTER_AREA))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % _COLUMNS)
    rows = [np.hstack(tiles[at : at + _COLUMNS]) for at in range(0, len(tiles), _COLUMNS)]
    return np.vstack(rows)


def main() -> None:
    """Draw the sheet and write it."""
    root = Path(__file__).parents[1]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=root / "docs" / "animatic.jpg")
    output = parser.parse_args().output
    text = (root / "benchmarks" / "contact_sheet.toml").read_text("utf-8")
    scenes = [Scene(**table) for table in tomllib.loads(text)["scene"]]
    sheet = cv2.cvtColor(contact_sheet(scenes), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(output), sheet, [cv2.IMWRITE_JPEG_QUALITY, 84])
    print(f"{output}: {len(scenes)} scenes, {output.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
