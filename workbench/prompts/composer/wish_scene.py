"""Wishes that set, replace, add, remove or move things of the scene."""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.articles import with_article
from workbench.lexicon.morphology import is_noun, is_plural, lemma
from workbench.lexicon.nouns import head_of, place_in
from workbench.lexicon.terms import ANIMATE, place_named, subject_kind, word_list
from workbench.prompts.composer.completing import choices
from workbench.prompts.composer.grammar import read_clause
from workbench.prompts.composer.wish_looks import coloured
from workbench.prompts.composer.wish_terms import (
    PRONOUNS,
    Values,
    by_term,
    exact_term,
    field_named,
    held_terms,
    mentions,
    placed,
    subject_words,
    value_for,
)
from workbench.scene import Scene

__all__ = ["by_addition", "by_field", "by_place", "by_removal", "by_replacement"]

_NO_PLACE_BEGINS: Final = frozenset(
    [
        "add",
        "include",
        "put",
        "with",
        "have",
        "give",
        "make",
        "let",
        "show",
        "change",
        "use",
        "keep",
    ]
)
_HERE: Final = r"it|here|there|(?:the|this) (?:scene|shot|picture|image|video|frame)"


def by_field(wish: str, scene: Scene) -> Values | None:
    """Understand "set the weather to rain", "weather: rain", "change the subject to a cat"."""
    match = re.match(
        r"(?:set|change|switch|make|turn|put|move)?\s*(?:the |its )?([a-z_ ]+?)\s*(?:to be|to|into|:|=|as|should be|is)\s+(.+)\Z",
        wish,
    )
    if match is None:
        return None
    field = field_named(match[1])
    if field is None:
        return None
    return value_for(field, match[2].strip(), scene)


def by_removal(wish: str, scene: Scene) -> Values | None:
    """Understand "remove the umbrella", "no rain", "without people", "I don't like the light"."""
    if exact_term(wish) is not None:
        return None
    match = re.match(
        r"(?:remove|delete|lift|kill|turn off|switch off|stop|end|drop|lose|take out|take away|get rid of|without|no more|no|erase|cut|ditch|skip|leave out|clear|eliminate|omit|there should be no|hide|exclude|avoid|i don't want|i don't like|i do not want|i do not like|don't like|don't want|do not show|don't show)\s+(?:any\s+|all\s+|of\s+)?(?:the\s+)?(.+)\Z",
        wish,
    ) or re.match(r"(?:take|leave) (?:the )?(.+) (?:out|away|off)\Z", wish)
    if match is None:
        return None
    what = re.sub(rf"\s+in (?:{_HERE})$", "", match[1].strip())
    field = field_named(what)
    if field is not None and field not in {"subject", "setting"}:
        return {field: () if field == "details" else ""}
    held = held_terms(what, scene)
    if held:
        return held
    if _is_place_of(scene, what):
        emptied = scene.edit({"setting": ""})
        others = [s for s in choices("setting", emptied) if not mentions(s, what)]
        return {"setting": others[0] if others else ""}
    if scene.subject and " and " not in scene.subject and mentions(scene.subject, what):
        return None
    for detail in scene.details:
        if mentions(detail, what):
            return {"details": tuple(d for d in scene.details if d != detail)}
    if scene.subject_details and mentions(scene.subject_details, what):
        return {"subject_details": ""}
    values = _remove_from_subject(what, scene)
    if values is not None:
        return values
    term = by_term(what, scene)
    if term is not None and not any(getattr(scene, f) == v for f, v in term.items()):
        return _barred(what, scene)
    if len(what.split()) <= 4 and is_noun(head_of(what)):
        return _barred(what, scene)
    return None


def _is_place_of(scene: Scene, what: str) -> bool:
    """Tell whether ``what`` is the place itself, not something in it."""
    head = head_of(scene.setting) if scene.setting else ""
    return bool(head) and lemma(head_of(what), "NOUN") == lemma(head, "NOUN")


def _barred(what: str, scene: Scene) -> Values:
    listed = [x.strip() for x in scene.negative_prompt.split(",") if x.strip()]
    return {"negative_prompt": ", ".join([*listed, *([what] if what not in listed else [])])}


def _remove_from_subject(what: str, scene: Scene) -> Values | None:
    parts = re.split(r"\s+and\s+", scene.subject)
    if len(parts) > 1:
        left = [p for p in parts if not mentions(p, what)]
        if len(left) < len(parts) and left:
            return {"subject": " and ".join(left)}
    return None


def by_replacement(wish: str, scene: Scene) -> Values | None:
    """Understand "replace the dog with a cat", "a cat instead of the dog", "turn him into a robot"."""
    match = re.match(
        r"(?:replace|swap|substitute|exchange|trade)\s+(?:out\s+)?(?:the\s+|this\s+|that\s+|an?\s+)?(.+?)\s+(?:with|for|by|to)\s+(.+)\Z",
        wish,
    ) or re.match(
        r"(?:change|turn|switch|transform|convert|make)\s+(?:the\s+|this\s+|that\s+|an?\s+)?(.+?)\s+(?:to|into)\s+(?:be\s+)?(.+)\Z",
        wish,
    )
    if match:
        return _swap(match[1], match[2], scene)
    match = re.match(
        r"(?:the\s+)?(\w+(?: \w+)?)\s+(?:is|becomes?|should be(?:come)?|turns into|could be)\s+(?:now\s+)?(an?\s+.+)\Z",
        wish,
    )
    if match and not re.match(rf"(?:{PRONOUNS}|this|that|there|scene|shot)\b", match[1]):
        return _swap(match[1], match[2], scene)
    match = re.match(
        r"(?:use\s+|have\s+|make it\s+|show\s+|put\s+)?(.+?)\s+(?:instead of|rather than|in place of|not)\s+(?:the\s+|an?\s+)?(.+)\Z",
        wish,
    )
    if match:
        return _swap(match[2], match[1], scene)
    match = re.match(r"(?:make|turn|change)\s+(?:the\s+)?(\w+(?: \w+)?)\s+(an?\s+.+)\Z", wish)
    if match and not re.match(rf"(?:{PRONOUNS}|this|that|everything|scene|shot)\b", match[1]):
        return _swap(match[1], match[2], scene)
    return None


def _swap(old: str, new: str, scene: Scene) -> Values | None:
    old, new = re.sub(r"^(?:her|his|its|their)\s+(?=\w)", "", old.strip()), new.strip()
    if field := field_named(old):
        return value_for(field, new, scene)
    if old in PRONOUNS.split("|") or old in {"this", "that"}:
        if (values := by_term(new, scene)) is not None and subject_kind(head_of(new)) is None:
            return values
        return {"subject": with_article(new)}
    held = held_terms(old, scene)
    if held:
        return by_term(new, scene)
    if scene.subject and mentions(scene.subject, old):
        if new in word_list("colors"):
            return coloured(scene, new)
        parts = re.split(r"\s+and\s+", scene.subject)
        if len(parts) > 1:
            return {
                "subject": " and ".join(with_article(new) if mentions(p, old) else p for p in parts)
            }
        clause = read_clause(new)
        placed_there = clause.setting and place_in(clause.setting) is not None
        if placed_there and not clause.action and " and " not in new:
            named = " ".join(x for x in (clause.subject, clause.details) if x)
            return {"subject": with_article(named), "setting": with_article(clause.setting)}
        return {"subject": with_article(new)}
    for detail in scene.details:
        if mentions(detail, old):
            return {
                "details": tuple(with_article(new) if d == detail else d for d in scene.details)
            }
    if scene.setting and mentions(scene.setting, old):
        return {"setting": with_article(new)}
    if scene.subject_details and mentions(scene.subject_details, old):
        if new.split()[0] in {"a", "an"} and scene.subject_details.startswith("wearing"):
            return {"subject_details": f"wearing {new}"}
        pattern = re.compile(re.escape(old), re.IGNORECASE)
        return {"subject_details": pattern.sub(re.sub(r"^an?\s+", "", new), scene.subject_details)}
    if scene.action and mentions(scene.action, old):
        return {"action": re.sub(re.escape(old), new, scene.action, flags=re.IGNORECASE)}
    return None


def by_place(wish: str, scene: Scene) -> Values | None:
    """Understand "on the beach", "move it to Tokyo", "set it in a forest", "take them to the moon"."""
    if re.search(r"\b(?:background|foreground|distance|back|front)\b", wish):
        return None
    if re.search(r"\b(?:indoors|outdoors|outside|inside)\Z", wish) and len(wish.split()) < 6:
        return {"setting": "outdoors" if "out" in wish.rsplit(maxsplit=1)[-1] else "indoors"}
    match = re.match(
        rf"(?:(?:{PRONOUNS})(?: is| are|'s|'re)\s+)?(?:(?:move|take|bring|transport|send|relocate|put|set|place|have|shoot|film|make)\s+(?:{PRONOUNS}|this|that|everything|(?:the )?(?:scene|shot|action|video|whole thing|camera)|the [\w]+|{subject_words(scene)})\s+)?(?:happen |take place |be |set |located |happening |taking place )?(?:somewhere |someplace )?(?:in|on|at|to|into|onto|inside|under|near|by|underwater)?\s*((?:the|an?|some)?\s*[\w' \-]+)\Z",
        wish,
    )
    if match is None:
        return None
    led = re.match(
        r".*\b(in|on|at|to|into|onto|inside|under|near|by)\s+(?=" + re.escape(match[1]) + r"\Z)",
        wish,
    )
    phrase = match[1].strip()
    head = head_of(phrase)
    place = place_named(head)
    if wish in {"underwater", "make it underwater", "put it underwater", "set it underwater"}:
        return {"setting": "underwater"}
    if not led and place is None:
        return None
    if place is None and not re.match(
        r"(?:move|take|bring|transport|send|relocate|set|place)\b", wish
    ):
        return None
    if (
        place is not None
        and place.kind in {"surface", "perch"}
        and subject_kind(head) in {"food", "object"}
        and not led
    ):
        return None
    if not phrase or len(phrase.split()) > 7 or phrase.split()[0] in _NO_PLACE_BEGINS:
        return None
    return placed(phrase)


def by_addition(wish: str, scene: Scene) -> Values | None:
    """Understand "add a butterfly", "there should be a rainbow", "with flowers everywhere"."""
    match = re.match(
        r"(?:add|include|insert|put in|bring in|introduce|throw in|there should be|there is|there are|with|have|show|give us|place|put|plus)\s+(?:in\s+)?((?:an?|some|the|more|another|two|three|four|five|a few|several|lots of|many)?\s*.+)\Z",
        wish,
    )
    if match is None:
        return None
    what = re.sub(
        r"^some\s+|\s+(?:to (?:it|the (?:scene|shot|prompt|picture|image|video)))$|\s+in(?: there| here)?$",
        "",
        match[1],
    ).strip()
    if re.match(rf"(?:{PRONOUNS}|me|us)\b", what):
        return None
    if match := re.match(r"(?:more\s+)(.+)", what):
        what = match[1]
    values = exact_term(what)
    if values is not None:
        return values
    doing = read_clause(what)
    named = doing.subject if doing.action else what
    head = head_of(re.sub(r"\s+(?:everywhere|around|nearby|here|there|outside)$", "", named))
    if not head or not (is_noun(head) or subject_kind(head)):
        return None
    if not scene.subject and subject_kind(head) in ANIMATE | {"vehicle", "watercraft", "aircraft"}:
        acting = {"action": doing.action} if doing.action else {}
        return {"subject": with_article(named), **acting}
    if any(mentions(d, what) for d in scene.details):
        return {}
    return {"details": (*scene.details, with_article(what) if not is_plural(head) else what)}
