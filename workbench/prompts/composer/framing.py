"""Says how the user wants a scene framed: the lead before it, and the modifiers behind it."""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import is_adjective
from workbench.lexicon.terms import word_list
from workbench.lexicon.words import article
from workbench.prompts.composer.polishing import lower_first
from workbench.prompts.composer.reading import Reading
from workbench.prompts.composer.segments import Modifier, fields_of

__all__ = ["led", "modifiers"]


def modifiers(reading: Reading) -> tuple[frozenset[str], list[str]]:
    """Return the fields that the modifiers say in the opening, and the phrases that say them."""
    said: set[str] = set()
    glue: list[str] = []
    for modifier in reading.modifiers:
        phrase = _lowered(_phrase(modifier))
        if phrase:
            glue.append(phrase)
            said |= modifier.fields
    return frozenset(said), glue


def _lowered(phrase: str) -> str:
    """Return ``phrase`` as it stands within a sentence: "In a still frame" → "in a still frame"."""
    first = phrase.split(maxsplit=1)[0].lower() if phrase else ""
    known = first in word_list("prepositions") | english("determiners") | _FIRST_WORDS
    return f"{phrase[:1].lower()}{phrase[1:]}" if known else phrase


_FIRST_WORDS: Final = frozenset({"featuring", "shot", "filmed", "seen", "captured", "rendered"})
_TIME_PREPOSITION: Final = {
    "morning": "in the",
    "afternoon": "in the",
    "evening": "in the",
    "golden hour": "at",
    "daytime": "during the",
}


def _phrase(modifier: Modifier) -> str:
    """Return ``modifier`` as a phrase that can follow a comma; empty where the bank will say it."""
    text, fields = modifier.text, modifier.fields
    low = text.lower()
    if low == "portrait":
        return "framed as a portrait"
    if re.match(r"facing (?:the )?camera\Z", low):
        return "facing the camera"
    if not fields:
        return text
    if "style" in fields:
        return _style_phrase(text)
    if (
        fields == {"time_of_day"}
        and len(text.split()) <= 2
        and low.split()[0] not in word_list("prepositions")
    ):
        return f"{_TIME_PREPOSITION.get(low, 'at')} {text}"
    if low.split()[0] in {"shot", "filmed", "seen", "rendered", "captured", "lit"}:
        return text
    if low.endswith(("light", "lighting", "lights", "glow")) and "lighting" in fields:
        return f"in {text}"
    if low.split()[0] in {"with", "in", "featuring", "as", "at", "during", "under", "from", "on"}:
        return text
    if "shot_size" in fields or "camera_angle" in fields:
        noun = (
            text
            if re.search(r"(?:shot|view|close[\s-]?up|angle|portrait)$", low)
            else f"{text} view"
        )
        first = low.split()[0]
        return (
            f"seen in {noun}"
            if first in english("determiners")
            else f"seen in {article(noun)} {noun}"
        )
    if fields == {"pace"} and "camera" not in low:
        return f"in {text}" if "motion" in low or "lapse" in low else text
    return ""


def _style_phrase(text: str) -> str:
    low = text.lower()
    first = low.split()[0]
    if first in {"in", "by", "with", "as"}:
        return f"rendered {text}" if first in {"in", "as"} else text
    if low.endswith(("style", "look", "aesthetic")):
        return f"rendered in {article(text)} {text}"
    if low.endswith(
        (
            "painting",
            "sketch",
            "render",
            "drawing",
            "illustration",
            "print",
            "photograph",
            "cartoon",
            "animation",
            "art",
            "noir",
            "film",
        )
    ) or first in {"anime", "watercolor", "watercolour", "claymation"}:
        mass = low.endswith(("art", "animation", "anime", "claymation", "noir", "film"))
        return f"rendered as {text}" if mass else f"rendered as {article(text)} {text}"
    if low in {"black and white", "watercolor"}:
        return f"rendered in {text}"
    return (
        f"{text} in style"
        if is_adjective(low) or low.endswith(("ic", "al", "punk"))
        else f"in the style of {text}"
    )


def led(reading: Reading, noun: str) -> str:
    """Return lead and noun phrase joined: "drone footage of a house", "a crane up over a field"."""
    if not reading.joint and re.search(
        r"\b(?:across|over|through|along|around|past|into|above|of)$", reading.lead, re.IGNORECASE
    ):
        return f"{reading.lead} {noun}"
    if reading.fronted:
        return f"{_lead(reading.lead)} {lower_first(reading.fronted)}: {noun}"
    return f"{_lead(reading.lead)} {reading.joint or 'of'} {noun}"


def _lead(lead: str) -> str:
    words = lead.split()
    if not words[0].isupper() and not words[0][0].isdigit():
        lead = f"{lead[:1].lower()}{lead[1:]}"
    if words[0].lower() in english("determiners") or words[0].lower() == "in":
        return lead
    last = words[-1].lower()
    if last in {"footage", "video", "view"} and len(words) == 1 and last == "footage":
        return lead
    if last in {"footage", "macro", "slo-mo"}:
        return lead
    if last == "pov":
        lead = f"{lead} shot"
    elif "camera_angle" in fields_of(lead) and last not in word_list("lead_nouns"):
        lead = f"{lead} view"
    return f"{article(lead)} {lead}"
