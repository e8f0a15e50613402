"""What a critical reader would wince at, and no longer does: each holds for every seed tried."""

from __future__ import annotations

import re

import pytest

from workbench.prompts.composer.composer import enhance

SEEDS = range(8)


def _all(rough: str) -> list[str]:
    return [enhance(rough, seed=seed).prompt for seed in SEEDS]


@pytest.mark.parametrize(
    ("rough", "never"),
    [
        ("a blue armchair", r"table"),
        ("a kettle and a teddy bear", r"forest|woodland"),
        ("a cook laying a squid dish on a tray", r"reef|ocean"),
        ("fried trout on a plate", r"shifts in small|glides"),
        ("mist hovering over an office", r"in the office|tools of the trade"),
        ("a plum tree by the cottage", r"in the cottage|furnishings"),
        ("juice in bottles", r"(?<!of )the bottles (?:falls|reflects|makes|runs)|grain of"),
        ("Tintern Abbey's ancient walls", r"\ban? Tintern"),
        ("a tram slowing down to stop", r"fast|energetic|urgent"),
        ("a seven spotted beetle", r"the seven"),
        ("a child holding leaves", r"child holding leaves \w+ing"),
        ("someone ironing", r"\ba someone|the someone"),
        ("sunrise over the hills", r"sunrise is backlit|rim"),
        ("a stove in the kitchen", r"in the stove|the stove (?:falls|opens)"),
        ("a boat and a truck", r"windows of the boat"),
        ("a doctor walking home in the dark", r"midday|morning|afternoon|golden hour"),
        ("a clear sky over the sea", r"the sky over the sky"),
        ("a sad clown riding a horse", r"playful mood|playful spirit"),
    ],
)
def test_what_made_no_sense_is_not_said(rough: str, never: str) -> None:
    for text in _all(rough):
        assert not re.search(never, text, re.IGNORECASE), text


@pytest.mark.parametrize(
    ("rough", "always"),
    [
        ("barge gliding on thames river", r"the Thames river|the thames river"),
        ("a drum on the left of a bell, front view", r"^A front view shows a drum"),
        ("an old sailor mending a net", r"the sailor"),
        ("a bonfire at night in a clearing", r"[Ff]irelight"),
        ("Ada Brown reading a letter", r"Ada Brown"),
        ("a bear wearing red scarf", r"a red scarf"),
        ("jogger running on treadmill", r"on a treadmill"),
        ("a fox and two cubs in a den", r"a fox and two cubs"),
        ("garden view of a villa, In a still frame", r", in a still frame"),
        ("Owl sitting on a post.", r"[Tt]he owl"),
        ("In a quiet office, two people arguing", r"office"),
    ],
)
def test_what_good_english_asks_for_is_said(rough: str, always: str) -> None:
    for text in _all(rough):
        assert re.search(always, text), text


@pytest.mark.parametrize("rough", ["two dogs sleeping", "an otter swimming", "a nurse writing"])
def test_what_is_somebodys_own_is_named_so(rough: str) -> None:
    texts = [enhance(rough, seed=seed).prompt for seed in range(30)]
    owned = [
        t for t in texts if re.search(r"\bthe (?:two dogs'|otter's|nurse's) \w", t, re.IGNORECASE)
    ]
    assert len(owned) >= 3
    assert not any(re.search(r"\bcoat of the|hands of the", t) for t in texts)
