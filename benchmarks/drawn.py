"""The share of real prompts whose subject the animatic draws instead of a card with words.

Reads the 872 prompts kept beside the checkout (``../shared/data``; half of VBench's lists,
Apache-2.0), through the composer like a user's prompt. Exits with a message if they are missing.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

from benchmarks.report import Figure, print_report
from workbench.engines.animatic.reading import read_scene
from workbench.prompts.composer import composer

__all__ = ["measure_drawn"]

_FOLDER: Final = Path(__file__).parents[1].parent / "shared" / "data"
_FILES: Final = ("vbench_category.txt", "vbench_dimension.txt")


def measure_drawn() -> list[Figure]:
    """Return the shares, in percent of all prompts."""
    kinds: Counter[str] = Counter()
    for name in _FILES:
        for prompt in (_FOLDER / name).read_text("utf-8").splitlines():
            actors = read_scene(composer.scene_of(prompt), 0).actors
            card = any(actor.figure == "card" for actor in actors)
            kinds["card" if card else "figure" if actors else "place"] += 1
    total = kinds.total()
    share = {kind: 100 * number / total for kind, number in kinds.items()}
    drawn = share["figure"] + share["place"]
    return [
        Figure(f"subject drawn, of {total} prompts", drawn, "%", 85, at_most=False),
        Figure("– as a figure", share["figure"], "%"),
        Figure("– as the place itself", share["place"], "%"),
        Figure("a card with words", share["card"], "%"),
    ]


def main() -> None:
    """Measure and print."""
    if _FOLDER.is_dir():
        print_report("What the animatic draws of real prompts", measure_drawn())
    else:
        print(f"There are no prompts at {_FOLDER}: nothing measured.")


if __name__ == "__main__":
    main()
