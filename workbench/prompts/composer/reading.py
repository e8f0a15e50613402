"""Reads free text into a scene: what is filmed, and how. Knows the grammar, chooses nothing."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from workbench.lexicon.articles import with_article
from workbench.lexicon.languages import unread_words
from workbench.lexicon.morphology import inflect, is_verb, lemma
from workbench.lexicon.nouns import head_of, place_in
from workbench.lexicon.terms import (
    Term,
    find_terms,
    place_named,
    subject_kind,
    word_list,
)
from workbench.lexicon.words import sentences
from workbench.prompts.composer import bank
from workbench.prompts.composer.grammar import Clause, read_clause
from workbench.prompts.composer.headings import is_place_alone
from workbench.prompts.composer.naming import PARTS, preposition
from workbench.prompts.composer.polishing import lower_first
from workbench.prompts.composer.segments import Modifier, cut, exact_term
from workbench.prompts.composer.spelling import mended
from workbench.prompts.composer.timing import timeless
from workbench.scene import Origin, Scene

__all__ = ["Reading", "clean", "read"]

_NEGATION: Final = re.compile(
    r"(?:^|[,;.]\s*|\s)(?:but\s+|and\s+)?(?:with\s+)?(?:without|no)\s+(?!camera|hurry)([^,;.]+?)(?=[,;.]|$)",
    re.IGNORECASE,
)
_INSTRUCTION: Final = re.compile(
    r"^(?:please\s+)?(?:(?:can|could)\s+you\s+|(?:i|we)\s+(?:want|need|would\s+like)(?:\s+to\s+see)?"
    r"\s+|i'd\s+like(?:\s+to\s+see)?\s+)?(?:(?:to\s+)?(?:make|create|generate|show|give|render|"
    r"produce|film|write)\s+(?:me\s+|us\s+)?)?(?=(?:an?\s+|the\s+|some\s+)?(?:[\w-]+\s+){0,3}?"
    r"(?:video|clip|movie|footage|film|shot|animation|scene)\b)"
    r"|^(?:please\s+)?(?:generate|create|show\s+me|i\s+want\s+to\s+see|i'd\s+like\s+to\s+see)\s+",
    re.IGNORECASE,
)
"""What people say to a tool before they say what they want to see."""
_FRAME: Final = re.compile(
    r"^(?:an?\s+|the\s+|some\s+)?(?:(?:short|quick|brief|little)\s+)?(?:video|clip|movie|footage)\s+"
    r"(?:of|where|in\s+which|showing|that\s+shows|about|with)\s+",
    re.IGNORECASE,
)
"""What follows such an instruction and says no more than that a video is wanted."""
_HEADING: Final = re.compile(
    r"^(?:INT|EXT|INT\.?/EXT)\.?\s+(?P<place>[A-Z][A-Z' ]+?)\s*[-–—]+\s*(?P<when>[A-Z]+)[.:\s]+(?=\S)"
)
"""How a screenplay heads a scene: "INT. KITCHEN - DAY"."""
_UNDER_WORK: Final = re.compile(r"^(an?\s+|the\s+)?under construction\s+(?=[a-z])", re.IGNORECASE)
_PLAIN: Final[dict[str, str | int | None]] = {
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "\u00a0": " ",
}
_IN: Final = re.compile(r"^(?:in|on|at|inside)\s+", re.IGNORECASE)
_SCENE_END: Final = re.compile(r"\s+scene\Z", re.IGNORECASE)
_NOT_A_PLACE_ALONE: Final = frozenset(
    {"building", "vehicle", "watercraft", "aircraft", "object", "plant", "food", "drink"}
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says, and the user's own words for it."""

    text: str
    scene: Scene
    """Only what is said; every field's provenance is ``said``."""
    main: str
    """The main clause as written, without lead and modifiers."""
    clause: Clause
    lead: str = ""
    """How the text opened: "drone footage"; the word after it is the joint."""
    joint: str = ""
    fronted: str = ""
    """A place said before the main clause."""
    modifiers: tuple[Modifier, ...] = ()
    tails: tuple[str, ...] = ()
    """Further segments of the main clause's own sentence, as written."""
    others: tuple[str, ...] = ()
    """Further sentences as written, without their full stops."""
    unread: tuple[str, ...] = ()
    """What the composer cannot read: words in other scripts, or a text in another language."""
    slips: tuple[tuple[str, str], ...] = ()
    """Typing slips, each with what it was taken for."""

    @property
    def is_unread(self) -> bool:
        """Whether nothing of the text was read."""
        return bool(self.unread) and " ".join(self.unread).split() == self.text.split()


def clean(text: str) -> str:
    """Return ``text`` with one kind of quote, dash and space, and nothing unprintable."""
    flat = unicodedata.normalize("NFC", text).translate(str.maketrans(_PLAIN))
    flat = "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else " " for c in flat)
    flat = re.sub(r"\s+", " ", flat).strip(" ,;")
    return _UNDER_WORK.sub(r"\1under-construction ", flat)


@lru_cache(maxsize=256)
def read(text: str) -> Reading:
    """Return what ``text`` says. Never raises: what is not understood stays in the main clause."""
    asked = _HEADING.sub(_as_place, clean(text))
    wanted = _INSTRUCTION.sub("", asked)
    if wanted != asked:
        wanted = _FRAME.sub("", wanted)
    unread = unread_words(wanted)
    if unread == (wanted,):
        return _unreadable(wanted)
    flat, slips = mended(wanted)
    values: dict[str, str | tuple[str, ...]] = {}
    kept, composed = _take_composed(values, flat)
    parts = cut(kept)
    main = parts.main
    clause = read_clause(timeless(main) or main)
    for term in find_terms(kept):
        _note(values, term)
    for modifier in parts.modifiers:
        _note_modifier(values, modifier)
    values.update({k: v for k, v in _clause_values(clause, parts.fronted).items() if v})
    details = [re.sub(r"^(?:and|but|then)\s+", "", e) for e in (*parts.tails, *parts.others)]
    values["details"] = tuple(d for d in (clause.relation, *details) if d)
    values["negative_prompt"] = ", ".join(m[1].strip() for m in _NEGATION.finditer(kept))
    scene = Scene.empty().edit({k: v for k, v in values.items() if v}, origin=Origin.SAID)
    return Reading(
        text=flat,
        scene=scene,
        main=main,
        clause=clause,
        lead=parts.lead,
        joint=parts.joint,
        fronted=_where(parts.fronted),
        modifiers=tuple(parts.modifiers),
        tails=tuple(parts.tails),
        others=(*parts.others, *composed),
        unread=unread,
        slips=slips,
    )


def _as_place(heading: re.Match[str]) -> str:
    """Return a screenplay's heading as a place before a clause: "kitchen during the day: "."""
    when = heading["when"].lower()
    return f"{heading['place'].lower()} {'during the day' if when == 'day' else f'at {when}'}: "


def _unreadable(text: str) -> Reading:
    """Return the reading of a text of which nothing can be told but that it is what is wanted."""
    scene = Scene.empty().edit({"subject": text}, origin=Origin.SAID)
    return Reading(text=text, scene=scene, main=text, clause=Clause(subject=text), unread=(text,))


_FIELD_OF_SLOT: Final = {
    "light": "lighting",
    "palette": "color_palette",
    "weather": "weather",
    "camera": "camera_movement",
    "lens": "lens",
    "pace": "pace",
    "mood": "mood",
    "style": "style",
}


def _take_composed(values: dict[str, str | tuple[str, ...]], text: str) -> tuple[str, list[str]]:
    """Note what sentences of the composer's own making say; return the rest, and those sentences.

    So a prompt that the composer wrote is read back as the scene that it was written from.
    """
    kept: list[str] = []
    composed: list[str] = []
    for sentence in sentences(text):
        said = bank.recognise(sentence) if kept else None
        if said is None:
            kept.append(sentence)
            continue
        composed.append(sentence.rstrip("."))
        for slot, key in said.items():
            if slot in _FIELD_OF_SLOT:
                values.setdefault(_FIELD_OF_SLOT[slot], key)
    return " ".join(kept), composed


def _note(values: dict[str, str | tuple[str, ...]], term: Term) -> None:
    """Set the field of ``term`` unless an earlier phrase did; the more specific term wins."""
    held = values.get(term.field)
    specific = term.field == "time_of_day" and term.term in {"midnight", "blue hour", "golden hour"}
    if not held or specific:
        values[term.field] = term.term


def _note_modifier(values: dict[str, str | tuple[str, ...]], modifier: Modifier) -> None:
    """Set what a modifier says that no phrase of running text does: ", macro", ", claymation"."""
    exact = exact_term(modifier.text)
    if exact is not None:
        values.setdefault(*exact)
    if "style" not in modifier.fields or "style" in values:
        return
    text = re.sub(
        r"^(?:rendered\s+|shot\s+|painted\s+)?(?:in|as|with|by)\s+(?:an?\s+|the\s+)?",
        "",
        modifier.text,
        flags=re.IGNORECASE,
    )
    values["style"] = re.sub(r"^style of\s+|\s+style$", "", text, flags=re.IGNORECASE)


def _clause_values(clause: Clause, fronted: str) -> dict[str, str]:
    subject, setting = clause.subject, clause.setting
    heading = _SCENE_END.sub("", timeless(_IN.sub("", fronted)))
    if fronted and (not setting or (is_place_alone(heading) and setting in clause.action)):
        setting = heading
    if not clause.action and not setting and _SCENE_END.search(subject):
        setting = _SCENE_END.sub("", subject) if is_place_alone(subject) else ""
    if not clause.action and subject and not setting and _is_place_alone(subject):
        setting = subject
    return {
        "subject": with_article(lower_first(subject)),
        "subject_details": clause.details,
        "action": _in_progress(clause),
        "setting": setting if _led_by_preposition(setting) else with_article(setting),
    }


def _where(fronted: str) -> str:
    """Return the place before a clause with its preposition: "kitchen scene" → "in a kitchen scene"."""
    if not fronted or not is_place_alone(fronted):
        return fronted
    name = timeless(fronted)
    lead = "in" if _SCENE_END.search(name) else preposition(name, place_in(name))
    return f"{lead} {with_article(fronted)}"


def _in_progress(clause: Clause) -> str:
    """Return the action with its verb in the -ing form: "climbs a tree" → "climbing a tree"."""
    verb, _, rest = clause.action.partition(" ")
    base = lemma(verb, "VERB")
    if not clause.finite or verb.endswith("ing") or not is_verb(verb):
        return clause.action
    if verb not in {base, inflect(base, "VBZ")}:
        return clause.action
    return f"{inflect(base, 'VBG')} {rest}".strip()


def _is_place_alone(subject: str) -> bool:
    part, _, whole = subject.partition(" of ")
    head = head_of(whole if whole and head_of(part) in PARTS else subject)
    place = place_named(head)
    if place is None or place.kind in {"surface", "perch", "planet"}:
        return False
    return subject_kind(head) not in _NOT_A_PLACE_ALONE


def _led_by_preposition(phrase: str) -> bool:
    return bool(phrase) and phrase.split(maxsplit=1)[0].lower() in word_list("prepositions")
