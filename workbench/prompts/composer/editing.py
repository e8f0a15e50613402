"""Carries a change of the scene into its prompt: the smallest edit, the rest word for word.

A clause that the bank wrote is found again and replaced; the user's own words for a term are
replaced in place; what was never said is added where it belongs.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from workbench.lexicon.datafiles import load as load_words
from workbench.lexicon.terms import find_terms, says_any
from workbench.lexicon.words import article, sentence_case, sentences, tokens
from workbench.prompts.composer import bank
from workbench.prompts.composer.circumstances import shot_phrase, time_phrase
from workbench.prompts.composer.datafiles import load
from workbench.prompts.composer.facts import Ground, ground
from workbench.prompts.composer.reading import read
from workbench.prompts.composer.retelling import retell
from workbench.prompts.composer.segments import fields_of
from workbench.prompts.composer.writing import clause_for
from workbench.scene import Change, Scene

__all__ = ["carry", "refit", "reworded"]

_SLOTS: Final = {
    "lighting": "light",
    "weather": "weather",
    "camera_movement": "camera",
    "lens": "lens",
    "pace": "pace",
    "mood": "mood",
    "style": "style",
    "color_palette": "palette",
}
_TAILS: Final = {"lens": "camera", "palette": "light", "pace": "life", "style": "mood"}
"""Slots whose clauses hang on another sentence, and which."""
_FRAMING: Final = frozenset({"shot_size", "camera_angle"})


def carry(prompt: str, before: Scene, after: Scene, rng: random.Random) -> str:
    """Return ``prompt`` as it reads when its scene is ``after`` instead of ``before``."""
    changes = {c.field: c for c in before.changes_to(after)}
    told = [
        changes[n]
        for n in ("subject", "subject_details", "action", "setting", "details")
        if n in changes
    ]
    text = retell(prompt, before, after, told) if told else prompt
    at = ground(after)
    text = _released(text, frozenset(changes))
    if "time_of_day" in changes:
        text = _retime(text, changes["time_of_day"], after, rng)
    if _FRAMING & set(changes):
        text = _reframe(text, before, after)
    for name, slot in _SLOTS.items():
        if name in changes:
            text = _replace(text, slot, changes[name], at, rng)
    return refit(text, before, after)


def reworded(prompt: str, scene: Scene, rng: random.Random) -> str:
    """Return ``prompt`` saying the same scene in other clauses of the bank."""
    at = ground(scene)
    text = prompt
    for (slot, key), found in _standing(scene, at):
        for clause in found:
            if match := bank.find(clause, text):
                fresh = clause_for(slot, key, at, rng)
                text = _swap(text, match.start(), match.end(), fresh) if fresh else text
                break
    if text != prompt:
        return text
    more = clause_for("place", _key("place", at), at, rng) or clause_for("place", "any", at, rng)
    return _add(text, "place", more)


def _released(text: str, changed: frozenset[str]) -> str:
    """Return ``text`` without an opening that says what has changed: "drone footage of a city"."""
    reading = read(next(iter(sentences(text)), ""))
    if not fields_of(reading.lead) & changed & {"camera_movement", *_FRAMING}:
        return text
    joint = rf"{re.escape(reading.joint)}\s+" if reading.joint else ""
    opened = re.match(
        rf"(?:(?:an?|the)\s+)?{re.escape(reading.lead)}\s+{joint}", text, re.IGNORECASE
    )
    return f"Footage of {text[opened.end() :]}" if opened else text


def _replace(text: str, slot: str, change: Change, at: Ground, rng: random.Random) -> str:
    old, new = str(change.before), str(change.after)
    fresh = clause_for(slot, new, at, rng) if new else ""
    found = False
    for clause in bank.all_clauses().get((slot, old), ()):
        if match := bank.find(clause, text):
            text = _swap(text, match.start(), match.end(), "" if found else fresh)
            found = True
    text, said = _resay(text, change)
    if found or said or not new:
        return text
    return _add(text, slot, fresh or _plain(slot, new))


def _swap(text: str, start: int, end: int, fresh: str) -> str:
    opens = start == 0 or text[:start].rstrip().endswith((".", "!", "?"))
    if fresh:
        return text[:start] + (sentence_case(fresh) if opens else fresh) + text[end:]
    before, after = text[:start], text[end:]
    if opens:
        rest = after.lstrip(" ,")
        if rest.startswith("."):
            return _spaced(before + rest[1:])
        sentence, stop, others = rest.partition(". ")
        return _spaced(_hang(before, sentence) + (others if stop else ""))
    return _spaced(before.rstrip(" ,") + after)


def _hang(before: str, tail: str) -> str:
    """Return ``before`` with ``tail`` joined to its last sentence."""
    base = before.rstrip().removesuffix(".")
    return f"{base}, {tail.removesuffix('.')}. " if base else sentence_case(tail)


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _resay(text: str, change: Change) -> tuple[str, bool]:
    """Replace the user's own phrases for the old term."""
    old, new = str(change.before), str(change.after)
    found = False
    if not says_any(text, change.field, old):
        return text, False
    for term in reversed(find_terms(text)):
        if term.field != change.field or term.term != old:
            continue
        said = text[term.start : term.end]
        start, end, fresh = term.start, term.end, _form_like(said, change.field, old, new)
        if not fresh:
            lead = re.search(
                r"(?:,?\s*(?:\b(?:in|with|under|at|as|through|during)\b\s+)?(?:an?\s+|the\s+)?)$",
                text[:start],
            )
            start = lead.start() if lead else start
        text = text[:start] + fresh + text[end:]
        found = True
    return _spaced(
        re.sub(
            r"\b([Aa])n? (?=([a-z]))",
            lambda m: f"{m[1]}{article(text[m.end() : m.end() + 12])[1:]} ",
            text,
        )
    ) if found else text, found


def _form_like(said: str, field: str, old: str, new: str) -> str:
    forms = load("forms").get(field, {})
    if not new:
        return ""
    low = said.lower()
    adjective = forms.get("adjectives", {})
    if low == adjective.get(old, "") or (low.endswith("y") and low != old and field == "weather"):
        return str(adjective.get(new, new))
    noun = forms.get("nouns", {}).get(new, new)
    for lead in ("in the ", "at ", "in ", "under the ", "in a ", "with the ", "through the "):
        if low.startswith(lead) and field in {"weather", "pace", "style", "lighting"}:
            return f"{lead}{noun}"
    return str(noun)


def _plain(slot: str, term: str) -> str:
    return {
        "lens": f"through a {term}",
        "style": f"in the style of {term}",
        "pace": f"in {term}",
        "palette": f"in {term}",
    }.get(slot, f"The {slot} is {term}")


def _add(text: str, slot: str, fresh: str) -> str:
    parts = [part if part.endswith((".", "!", "?")) else f"{part}." for part in sentences(text)]
    if slot in _TAILS:
        host = next((i for i, s in enumerate(parts) if _says(s, _TAILS[slot])), len(parts) - 1)
        if parts:
            parts[host] = f"{parts[host].rstrip('.')}, {fresh}."
        else:
            parts = [sentence_case(fresh) + "."]
    else:
        where = max(1, len(parts) - 1) if slot != "mood" else len(parts)
        parts.insert(where, f"{sentence_case(fresh)}.")
    return " ".join(parts)


def _says(sentence: str, slot: str) -> bool:
    return any(bank.find(c, sentence) for c in bank.clauses_of(slot))


def _retime(text: str, change: Change, after: Scene, rng: random.Random) -> str:
    new = time_phrase(after, rng)
    phrases = load_words("phrases")["time_phrases"].get(str(change.before), [])
    for phrase in sorted(phrases, key=len, reverse=True):
        if match := re.search(rf"\b{re.escape(phrase)}\b", text, re.IGNORECASE):
            return (
                _spaced(text[: match.start()] + new + text[match.end() :])
                if new
                else _swap(text, match.start(), match.end(), "")
            )
    for term in find_terms(text):
        if term.field == "time_of_day" and term.term == change.before:
            lead = re.search(
                r"\b(?:at|in|during|on|by|before|after)\s+(?:the\s+|an?\s+)?(?:early\s+|late\s+)?$",
                text[: term.start],
                re.IGNORECASE,
            )
            said = text[term.start : term.end].lower()
            if lead or re.match(r"(?:at|in|during|by|under)\b", said):
                start = lead.start() if lead else term.start
                fresh = new
            else:
                start, fresh = term.start, str(change.after)
            text, _ = _resay(text[:start] + fresh + text[term.end :], change)
            return _spaced(text)
    if not new:
        return text
    first, stop, rest = text.partition(". ")
    first = first.rstrip(".")
    return f"{first}{',' if ',' in first else ''} {new}{stop or '.'}{rest}"


def _reframe(text: str, before: Scene, after: Scene) -> str:
    old, new = shot_phrase(before), shot_phrase(after)
    if old and (match := re.search(rf"\b(an?|the)?\s*{re.escape(old)}\b", text, re.IGNORECASE)):
        lead = match[1] or ""
        if lead.lower() in {"a", "an"} and new:
            lead = article(new) if lead.islower() else article(new).capitalize()
        return (
            _spaced(f"{text[: match.start()]} {lead} {new}{text[match.end() :]}") if new else text
        )
    found = False
    for name in ("shot_size", "camera_angle"):
        change = Change(field=name, before=getattr(before, name), after=getattr(after, name))
        if change.before != change.after and change.before:
            text, said = _resay(text, change)
            found = found or said
    if found or not new:
        return text
    first, stop, rest = text.partition(". ")
    return f"{first.rstrip('.')}, seen in {article(new)} {new}{stop or '.'}{rest}"


def refit(text: str, before: Scene, after: Scene) -> str:
    """Replace clauses of the bank that no longer fit, and rename whom they speak of."""
    old, new = ground(before), ground(after)
    if old.facts == new.facts and old.cast == new.cast and old.kind == new.kind:
        return text
    renamed = old.cast != new.cast
    for (slot, key), found in _standing(before, old):
        for clause in found:
            match = bank.find(clause, text)
            if match is None:
                continue
            same = slot not in {"life", "place"} or key in {_key(slot, new), "any"}
            if clause.fits(new.facts) and same:
                if renamed:
                    text = _swap(text, match.start(), match.end(), bank.fill(clause, new.cast))
                continue
            key_now = _key(slot, new) if slot in {"life", "place"} else key
            fresh = _nearest(slot, (key_now, "any"), new, match[0])
            text = _swap(text, match.start(), match.end(), fresh)
    return text


def _nearest(slot: str, keys: Sequence[str], at: Ground, old: str) -> str:
    """Return the fitting clause that shares most words with ``old``; empty where there is none."""
    have = Counter(tokens(old.lower()))
    options = [bank.fill(c, at.cast) for k in keys for c in bank.clauses(slot, k, at.facts)]
    return max(options, key=lambda o: (have & Counter(tokens(o.lower()))).total(), default="")


def _key(slot: str, at: Ground) -> str:
    if slot == "place":
        return at.place.kind if at.place else "any"
    return "person" if at.kind in {"man", "woman"} else at.kind


def _standing(
    scene: Scene, at: Ground
) -> Sequence[tuple[tuple[str, str], tuple[bank.Clause, ...]]]:
    wanted = [
        ("life", _key("life", at)),
        ("life", "any"),
        ("place", _key("place", at)),
        ("place", "any"),
    ]
    wanted += [
        (slot, getattr(scene, name)) for name, slot in _SLOTS.items() if getattr(scene, name)
    ]
    return [(where, bank.all_clauses().get(where, ())) for where in wanted]
