"""Writes entities and beats as plain English sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from workbench.lexicon.morphology import inflect, is_plural, lemma
from workbench.lexicon.nouns import place_in
from workbench.lexicon.tagging import tagged
from workbench.lexicon.words import sentence_case
from workbench.scene import Beat, Entity, Scene, When

__all__ = ["beat_sentence", "finite", "newcomer_sentence", "preposition_for", "with_clause"]

_WHENS: Final = {When.THEN: "Then ", When.FINALLY: "Finally, ", When.WHILE: "Meanwhile, "}
_OPEN: Final = re.compile(r"(?:outdoors|indoors|underwater|upstairs|downstairs)\b", re.IGNORECASE)


def finite(doing: str, *, plural: bool) -> str:
    """Return an -ing phrase with its verb in the present: "waving at him" → "waves at him"."""
    words = doing.split()
    if words[:1] == ["not"]:
        rest = words[1:]
        base = lemma(rest[0].lower(), "VERB") if rest else ""
        return " ".join(["do" if plural else "does", "not", base, *rest[1:]])
    at = next((i for i, w in enumerate(words) if not w.lower().endswith("ly")), 0)
    words[at : at + 1] = [_present(words[at], plural=plural)]
    for i in range(at + 1, len(words)):
        # A verb after "and" has the form of the first: "landing and resting".
        if words[i - 1].lower() in {"and", "then"} and _is_progressive(words[i]):
            words[i] = _present(words[i], plural=plural)
    return " ".join(words)


def _is_progressive(word: str) -> bool:
    low = word.lower().strip(",.")
    return low.endswith("ing") and lemma(low, "VERB") != low


def _present(word: str, *, plural: bool) -> str:
    low = word.lower()
    if low == "being":
        return "are" if plural else "is"
    if not _is_progressive(word):
        return f"{'are' if plural else 'is'} {word}"
    tail = word[len(word.rstrip(",.")) :]
    base = lemma(low.rstrip(",."), "VERB")
    return (base if plural else inflect(base, "VBZ")) + tail


def is_many(entity: Entity | None) -> bool:
    """Tell whether a verb after the entity is plural."""
    if entity is None:
        return False
    if " and " in entity.phrase:
        return True
    if entity.count is None:
        words = entity.phrase.split(" of ")[0].split()
        return bool(words) and is_plural(words[-1])
    return entity.count != 1


def definite(entity: Entity) -> str:
    """Return the name of the entity in later sentences: "the white cat"."""
    if entity.determiner.lower() in {"his", "her", "its", "their"} or entity.determiner.endswith(
        ("'s", "s'")
    ):
        return f"{entity.determiner} {entity.phrase}"
    if not entity.determiner and (
        entity.phrase[:1].isupper()
        or re.fullmatch(r"(?:some|every|any|no)(?:one|body|thing)", entity.phrase)
    ):
        return entity.phrase
    return f"the {entity.phrase}"


def beat_sentence(
    beat: Beat, scene: Scene, *, others: Sequence[Beat] = (), is_new: bool = False
) -> str:
    """Return a sentence on ``beat``, and ``others`` of the same actor.

    ``is_new`` tells that no earlier sentence names the actor.
    """
    if beat.told:
        return beat.told
    entity = scene.entity(beat.actor)
    plural = is_many(entity)
    if entity is None:
        said = re.sub(r"\bi\b", "I", beat.text)
        return sentence_case(f"{said}.") if said else ""
    if beat.part:
        who, plural = _part(beat.part, entity), beat.part in {"both", "all", "two", "three"}
    elif is_new:
        who = entity.text
    else:
        who = definite(entity)
    doing = " and ".join(finite(one.text, plural=plural) for one in (beat, *others))
    lead = _WHENS.get(beat.when, "")
    return f"{sentence_case(f'{lead}{who}')} {doing}."


def _part(part: str, entity: Entity) -> str:
    low = part.lower()
    if low in {"one", "two", "three", "both", "all", "none", "some", "each"}:
        return f"{low} of the {entity.phrase}"
    noun = entity.noun or entity.phrase
    if low in {"the other", "the first", "the second", "the last", "the third"}:
        return f"{low} {noun}"
    said = re.sub(r"\bone\b", noun, low)
    return (
        said
        if said.split()[0] in {"the", "his", "her", "its", "their", "a", "an"}
        else f"the {said}"
    )


def newcomer_sentence(entity: Entity, *, definite: bool = False) -> str:
    """Return a sentence that introduces ``entity``: "There is a tree in the background."."""
    if definite:
        verb = "are" if is_many(entity) else "is"
        said = ", ".join(look.text for look in entity.looks)
        tail = " ".join(x for x in (said, entity.position) if x)
        return sentence_case(f"the {entity.phrase} {verb} {tail}.") if tail else ""
    determiner = entity.determiner.lower()
    is_group = determiner.startswith("a ") and determiner.endswith(" of")  # "a flock of"
    many = is_plural(entity.phrase.split()[-1]) if determiner == "a lot of" else not is_group
    verb = "are" if many and is_many(entity) else "is"
    return f"There {verb} {entity.text}."


def preposition_for(setting: str) -> str:
    """Return the preposition before ``setting``; empty if it begins with one."""
    if _OPEN.match(setting):
        return ""
    place = place_in(setting)
    return "in" if place is None else place.prep


_CONNECTED: Final = re.compile(
    r"(?:,\s*)?(?:\b(?:while|as|when|where|with)|,|,\s*and)\s*$", re.IGNORECASE
)
_BESIDE_THEM: Final = re.compile(
    r"\s+(?:behind|beside|around|near|above|below|beneath|under|before|next to|in front of) (?:them|him|her|it)\b"
)


def with_clause(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span with the clause of which it is the subject: ", while her father watches"."""
    lead = _CONNECTED.search(text[:start])
    if lead is None:
        return start, end
    stop = re.compile(r"[,.;:!?]|$").search(text, end)
    rest = text[end : stop.start() if stop is not None else len(text)]
    after = next((t for t in tagged(text) if t.start >= end), None)
    acts = after is not None and after.tag in "VXGP"
    if rest.strip() and not acts and _BESIDE_THEM.match(rest) is None:
        return start, end
    return lead.start(), end + len(rest)
