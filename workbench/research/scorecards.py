"""Scores of finished videos: measured once, kept beside the video, compared within a batch.

Knows where a score is kept; what it means stands in ``measures``.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np

from workbench.engines.probe import decode_video, probe_video
from workbench.research.measures import NEAR_DUPLICATE, Clip, Scores, difference, measure

__all__ = ["Scorecard", "near_duplicates", "score_video", "score_videos"]

_FILE: Final = "scores.json"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The scores of one video, and the fingerprint that finds its near-duplicates."""

    scores: Scores
    fingerprint: Any
    """Thumbnails, ``uint8``, shape (8, 9, 16, 3)."""


def score_video(path: Path) -> Scorecard:
    """Return the scores of the video at ``path``, from ``scores.json`` beside it where they are.

    Measured anew when the video is another than the one that was scored. Raises ``DamagedFile``
    for a video that does not decode.
    """
    kept = path.with_name(_FILE)
    stamp = _stamp(path)
    card = _read(kept, stamp)
    if card is None:
        clip = Clip.of(decode_video(path), probe_video(path).fps)
        card = Scorecard(measure(clip), clip.fingerprint)
        with suppress(OSError):  # a folder that cannot be written to still has scores
            _keep(kept, stamp, card)
    return card


def score_videos(paths: Mapping[str, Path]) -> dict[str, Scorecard]:
    """Return the scores of several videos by the same keys, measured on every core at once.

    Videos that do not decode are left out.
    """
    workers = max(1, min(len(paths), os.cpu_count() or 1))
    with ThreadPoolExecutor(workers, thread_name_prefix="scores") as pool:
        found = {key: pool.submit(score_video, path) for key, path in paths.items()}
    return {key: future.result() for key, future in found.items() if future.exception() is None}


def near_duplicates(
    cards: Mapping[str, Scorecard], limit: float = NEAR_DUPLICATE
) -> tuple[tuple[str, ...], ...]:
    """Return the groups of videos that differ by less than ``limit`` (0 to 1), each with its keys.

    Videos belong to one group when a chain of near-duplicates joins them.
    """
    group = {key: {key} for key in cards}
    for one, other in combinations(cards, 2):
        if difference(cards[one].fingerprint, cards[other].fingerprint) < limit:
            joined = group[one] | group[other]
            for key in joined:
                group[key] = joined
    order = list(cards)
    found = {tuple(sorted(keys, key=order.index)) for keys in group.values() if len(keys) > 1}
    return tuple(sorted(found, key=lambda keys: order.index(keys[0])))


def _stamp(path: Path) -> Sequence[int]:
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns]


def _read(kept: Path, stamp: Sequence[int]) -> Scorecard | None:
    try:
        document = json.loads(kept.read_bytes())
        if document["version"] != _VERSION or document["video"] != list(stamp):
            return None
        print_ = np.frombuffer(base64.b64decode(document["fingerprint"]["data"]), dtype=np.uint8)
        return Scorecard(
            Scores(**{name: float(document["scores"][name]) for name in Scores.__slots__}),
            print_.reshape(document["fingerprint"]["shape"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(kept: Path, stamp: Sequence[int], card: Scorecard) -> None:
    document = {
        "version": _VERSION,
        "video": list(stamp),
        "scores": card.scores.by_name,
        "fingerprint": {
            "shape": card.fingerprint.shape,
            "data": base64.b64encode(card.fingerprint.tobytes()).decode(),
        },
    }
    aside = kept.with_name(f".{kept.name}.{os.getpid()}")
    aside.write_text(json.dumps(document), "utf-8")
    aside.replace(kept)
