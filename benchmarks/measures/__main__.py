"""How well the measures find injected faults: correlations and detection rates.

Run with ``python -m benchmarks.measures``; ``--write`` stores the results in
``workbench/measures/evidence.toml``, which decides what is shown. The clips are a textured room
filmed by projection, with a known camera, and storyboards; each is encoded and decoded before it is
measured. A measure without a correlation of 0.9, or 95 % recall and 95 % precision, is not offered:
see docs/worlds.md.
"""

from __future__ import annotations

import sys

import cv2
import numpy as np

from benchmarks.measures.camera import camera, moves, returns
from benchmarks.measures.changes import (
    cuts_found,
    drift_found,
    loops_found,
    repeats_found,
    seams_found,
)
from benchmarks.measures.pictures import pictures
from benchmarks.measures.reached import REACHED, write_evidence
from benchmarks.measures.sounds import sounds
from benchmarks.measures.subjects import divergences, subjects
from benchmarks.report import print_report
from workbench.measures.evidence import evidence

_GROUPS = {
    "camera": camera,
    "moves": moves,
    "return": returns,
    "drift": drift_found,
    "seams": seams_found,
    "repeats": repeats_found,
    "cuts": cuts_found,
    "loops": loops_found,
    "subjects": subjects,
    "divergence": divergences,
    "sound": sounds,
    "pictures": pictures,
}


def main() -> None:
    """Measure and print."""
    chosen = [name for name in sys.argv[1:] if name != "--write"]
    cv2.setNumThreads(1)
    for name, group in _GROUPS.items():
        if not chosen or name in chosen:
            print_report(f"measures: {name}", group(np.random.default_rng(7)))
    if "--write" in sys.argv:
        write_evidence({**evidence(), **REACHED})


if __name__ == "__main__":
    main()
