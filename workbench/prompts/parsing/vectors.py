"""Small word vectors: words used in similar contexts have similar vectors."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIMENSIONS", "VECTORS", "vectors"]

VECTORS: Final = Path(__file__).parent / "data" / "vectors.npz"
DIMENSIONS: Final = 40


@cache
def vectors() -> tuple[dict[str, int], NDArray[np.int8]]:
    """Return the row index of each word, and the vectors as int8, where 127 stands for 0.625."""
    with np.load(VECTORS) as file:
        words = file["words"].tobytes().decode().split("\n")
        return {word: row for row, word in enumerate(words)}, file["vectors"]
