"""Wishes about what those who are seen look like: colours, clothes, other qualities."""

from __future__ import annotations

import re

from workbench.lexicon.articles import with_article
from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import is_adjective, is_verb, lemma
from workbench.lexicon.nouns import head_of
from workbench.lexicon.terms import place_named, subject_kind, word_list
from workbench.prompts.composer.wish_terms import (
    PRONOUNS,
    TERM_ORDER,
    Values,
    mentions,
    subject_words,
)
from workbench.scene import Scene, canonical_term

__all__ = ["by_clothes", "by_colour", "by_quality", "coloured"]


def by_quality(wish: str, scene: Scene) -> Values | None:
    """Understand "make the dog bigger", "make it look old": a quality of the subject."""
    match = re.match(
        rf"(?:make|have)\s+(?:{PRONOUNS}|the (?:{subject_words(scene)}))\s+(?:look\s+|appear\s+|be\s+)?(?:more\s+|very\s+|much\s+|a bit\s+)*([a-z]+)\Z",
        wish,
    )
    if match is None or not scene.subject:
        return None
    word = lemma(match[1], "ADJ")
    if (
        not is_adjective(match[1])
        or is_verb(match[1])
        or place_named(word)
        or any(canonical_term(f, word) for f in TERM_ORDER)
    ):
        return None
    words = scene.subject.split()
    lead = words[:1] if words[0].lower() in english("determiners") else []
    rest = [w for w in words[len(lead) :] if w.lower() != word]
    bare_article = not lead or lead[0].lower() in {"a", "an"}
    phrase = " ".join([word, *rest])
    return {"subject": with_article(phrase) if bare_article else f"{lead[0]} {phrase}"}


def by_colour(wish: str, scene: Scene) -> Values | None:
    """Understand "make the car blue", "a red one", "paint it green", "the dog should be white"."""
    colors = "|".join(sorted(word_list("colors"), key=len, reverse=True))
    worn = re.fullmatch(rf"(?:an? |with an? |in an? )?({colors}) (\w+)", wish)
    if worn and scene.subject_details and mentions(scene.subject_details, worn[2]):
        return by_colour(f"make the {worn[2]} {worn[1]}", scene)
    match = re.match(
        rf"(?:(?:make|paint|colou?r|turn|dye|have|let|change)\s+)?(?:(?:the|her|his|its|their)\s+)?([\w ]+?)?\s*(?:(?:should )?be\s+|is\s+|in\s+|to\s+)?((?:(?:dark|light|bright|pale|deep)\s+)?(?:{colors}))(?: one)?\Z",
        wish,
    )
    if match is None or not scene.subject:
        return None
    who = (match[1] or "").strip()
    if who.startswith(("light", "sky", "color", "palette", "tone")):
        return None
    if not who or who in {"it", "him", "her", "them", "a", "subject"}:
        if not re.match(r"(?:make|paint|colou?r|turn|dye|a )", wish) or canonical_term(
            "color_palette", match[2]
        ):
            return None
        return coloured(scene, match[2])
    if mentions(scene.subject, who):
        return coloured(scene, match[2], who)
    if scene.subject_details and mentions(scene.subject_details, who):
        noun = who.split()[-1]
        text = re.sub(
            rf"\b(?:(?:{colors})\s+)?{noun}\b", f"{match[2]} {noun}", scene.subject_details
        )
        return {"subject_details": re.sub(r"\b(an?) (?=\w)", "a ", text)}
    if subject_kind(who.split()[-1]) == "object" or who.split()[-1] in word_list("clothing"):
        return {"subject_details": _worn(scene, f"{match[2]} {who}")}
    return None


def coloured(scene: Scene, colour: str, who: str = "") -> Values:
    """Return the subject, or that part of it which ``who`` names, in another colour."""
    colors = word_list("colors")
    parts = re.split(r"(\s+and\s+)", scene.subject)
    for i, part in enumerate(parts):
        if i % 2 == 0 and (not who or mentions(part, who)):
            words = part.split()
            lead = words[:1] if words[0].lower() in english("determiners") else []
            rest = [
                w
                for w in words[len(lead) :]
                if w.lower() not in colors | {"dark", "light", "bright", "pale"}
            ]
            if lead and lead[0].lower() in {"a", "an"}:
                parts[i] = with_article(" ".join([colour, *rest]))
            else:
                parts[i] = " ".join([*lead, colour, *rest])
            break
    return {"subject": "".join(parts)}


def by_clothes(wish: str, scene: Scene) -> Values | None:
    """Understand "give him a red hat", "she should wear sunglasses", "put a scarf on him"."""
    match = re.match(
        rf"(?:give|put|dress|have)\s+(?:{PRONOUNS}|the [\w ]+?)\s+(?:wear(?:ing)?\s+|on\s+|in\s+|with\s+)?((?:an?|some|the)?\s*.+)\Z",
        wish,
    )
    if match is None:
        match = (
            re.match(
                rf"(?:(?:make\s+)?(?:{PRONOUNS}|the [\w ]+?)\s+)?(?:should\s+|is\s+|are\s+)?(?:be\s+)?(?:wears?|wearing|dressed in|in)\s+((?:an?|some)?\s*.+)\Z",
                wish,
            )
            if re.search(r"\b(?:wear|dressed)", wish)
            else None
        )
    if match is None:
        match = re.match(r"put\s+((?:an?|some)\s+.+?)\s+on\s+(?:him|her|it|them|the \w+)\Z", wish)
    if match is None or not scene.subject:
        return None
    item = match[1].strip()
    worn = (
        bool(set(item.split()) & (word_list("clothing") - word_list("colors")))
        or "wear" in wish
        or "dress" in wish
    )
    if worn or (re.match(r"(?:give|put)\b", wish) and subject_kind(head_of(item)) == "object"):
        return {"subject_details": _worn(scene, item) if worn else f"with {with_article(item)}"}
    if wish.startswith("give"):
        return {"subject_details": f"with {with_article(item)}"}
    return None


def _worn(scene: Scene, item: str) -> str:
    """Return what is worn with ``item`` put on; it takes the place of a thing of its own kind."""
    item = with_article(re.sub(r"^some\s+", "", item))
    now = scene.subject_details
    if not re.match(r"(?:wearing|dressed in|in)\b", now) or mentions(now, head_of(item)):
        return f"wearing {item}"
    return f"{now} and {item}"
