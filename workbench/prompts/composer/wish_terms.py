"""What every rule for wishes needs: fields by name, terms in a wish, what a scene holds already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from workbench.lexicon.articles import with_article
from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import inflect, is_verb, lemma
from workbench.lexicon.nouns import head_of
from workbench.lexicon.terms import capitalized, find_terms, word_list
from workbench.prompts.composer.datafiles import load
from workbench.prompts.composer.facts import ground
from workbench.prompts.composer.reading import read
from workbench.scene import SCENE_FIELDS, Scene, canonical_term, terms

__all__ = [
    "PRONOUNS",
    "TERM_ORDER",
    "Values",
    "acting",
    "by_term",
    "exact_term",
    "field_named",
    "held_terms",
    "mentions",
    "placed",
    "subject_words",
    "value_for",
]

Values = dict[str, str | tuple[str, ...]]


PRONOUNS: Final = "it|him|her|them|he|she|they"


_LEAD: Final = re.compile(
    r"^(?:(?:make|turn|change|switch|shift|adjust|set|render|shoot|film|have|let|put|use|add|give|do|go|get|with|in|into|to|as|a|an|"
    r"the|it|this|that|scene|shot|video|whole|thing|everything|look|looks|be|is|more|very|much|bit|of|some|"
    r"feel|feels|all|at|on|by|during|from|style|for|like|him|her|them|take|place|happen|happening|really|"
    r"super|even|little|way|lot|quite|set|we|should|want|see|were|was|now|camera|move|movement|atmosphere|mood|lighting|light|weather|time|day|version|kind|sort|"
    r"lit|slowly|slow|gently|play|real|image|picture|colors|colours|color|colour|prompt|clip|use)\s+)+"
)


TERM_ORDER: Final = (
    "time_of_day",
    "weather",
    "camera_movement",
    "shot_size",
    "camera_angle",
    "lens",
    "pace",
    "lighting",
    "style",
    "mood",
    "color_palette",
)


def field_named(text: str) -> str | None:
    """Return the scene field that people mean by ``text``, such as "light" or "camera angle"."""
    low = re.sub(r"^(?:the|its|his|her|this|that|same)\s+", "", text.strip().lower())
    low = re.sub(r"^(?:the|same)\s+", "", low)
    names: Mapping[str, str] = load("requests")["names"]
    for field, phrases in names.items():
        if low in phrases.split("|"):
            return field
    normal = low.replace(" ", "_")
    return normal if normal in SCENE_FIELDS else None


def value_for(field: str, text: str, scene: Scene) -> Values | None:
    """Return what setting ``field`` to ``text`` means, or None when ``text`` is no such value."""
    bare = re.sub(r"^(?:an?|the|be|more|very)\s+", "", text)
    if text in {"nothing", "none", "empty"}:
        return {field: ""}
    if terms(field):
        term = canonical_term(field, bare) or canonical_term(field, text)
        if term is None:
            term = next((t.term for t in find_terms(text) if t.field == field), None)
        if term is not None:
            return {field: term}
        other = by_term(text, scene)
        if other is not None and field != "style":
            return other
        return {field: text} if field in {"style", "color_palette", "lighting", "mood"} else None
    if field == "details":
        return {field: (*scene.details, text)}
    if field == "action":
        return {field: acting(text)}
    if field == "setting":
        return placed(text)
    return {field: with_article(text) if field == "subject" else text}


def placed(phrase: str) -> Values:
    """Return what moving to ``phrase`` sets: the place, and what is said with it of time and weather.

    "Paris at night in the rain" is a place, a time of day and a weather.
    """
    said = read(f"in {phrase}").scene
    when = {f: getattr(said, f) for f in ("time_of_day", "weather") if getattr(said, f)}
    cut_off = bool(said.setting) and len(said.setting.split()) < len(with_article(phrase).split())
    if not (when and cut_off):
        return {"setting": _place_name(phrase)}
    return {"setting": _place_name(said.setting), **when}


def _place_name(phrase: str) -> str:
    return " ".join(capitalized(word) for word in with_article(phrase).split())


def held_terms(what: str, scene: Scene) -> Values:
    """Return how to clear the fields of ``scene`` that hold what ``what`` says; empty for none."""
    found: Values = {}
    for term in find_terms(what):
        if getattr(scene, term.field) == term.term:
            found[term.field] = (
                "clear" if term.field == "weather" and "sky" in ground(scene).facts else ""
            )
    for name in TERM_ORDER:
        term_said = canonical_term(name, what)
        says_it = term_said is not None and getattr(scene, name) == term_said
        names_it = set(what.split()) <= set(getattr(scene, name).split())
        if says_it or (what and names_it):
            found.setdefault(name, "clear" if name == "weather" else "")
    if not found:
        bare = lemma(what.rsplit(maxsplit=1)[-1], "NOUN")
        families = {
            "rain": ("rain", "drizzle", "heavy rain"),
            "snow": ("snow", "blizzard"),
            "fog": ("fog", "mist"),
            "cloud": ("overcast", "partly cloudy"),
            "storm": ("thunderstorm", "dust storm"),
            "wind": ("wind",),
        }
        if scene.weather in families.get(bare, ()):
            return {"weather": "clear"}
    return found


def mentions(text: str, what: str) -> bool:
    """Tell whether ``text`` names all that ``what`` names, in any number."""
    have = {lemma(w, "NOUN") for w in re.findall(r"\w+", text.lower())}
    want = {
        lemma(w, "NOUN")
        for w in re.findall(r"\w+", what.lower())
        if w not in english("determiners")
    }
    return bool(want) and want <= have


def acting(words: str) -> str:
    """Return ``words`` with their verb in the -ing form: "jump high" → "jumping high"."""
    verb, _, rest = words.partition(" ")
    base = lemma(verb, "VERB") if is_verb(verb) else verb
    if not verb.endswith("ing") or base == verb:
        verb = inflect(lemma(verb, "VERB"), "VBG") if is_verb(verb) else verb
    return f"{verb} {rest}".strip()


def exact_term(text: str) -> Values | None:
    """Return the field and established term that ``text`` as a whole says, or None."""
    bare = re.sub(r"^(?:an?|the|some|a bit of|a little|lots of|heavy)\s+", "", text.strip())
    for candidate in dict.fromkeys((text.strip(), bare)):
        for field in TERM_ORDER:
            term = canonical_term(field, candidate)
            if term is not None:
                return {field: term}
    found = find_terms(text)
    if found and found[0].start == 0 and found[0].end == len(text):
        return {found[0].field: found[0].term}
    return None


_LOOK: Final = re.compile(r" (?:look|feel|feeling|style|vibe|aesthetic|mood|atmosphere|effect)$")


def _last_words_of(wish: str) -> Values | None:
    """Return the term that the last words say, when none of weight stand before them."""
    words = wish.split()
    for count in range(min(4, len(words)), 0, -1):
        before = f"{' '.join(words[:-count])} "
        if before == " " or _LEAD.fullmatch(before):
            exact = exact_term(" ".join(words[-count:]))
            if exact is not None:
                return exact
    return None


def by_term(wish: str, _scene: Scene) -> Values | None:
    """Understand a wish that says established terms and nothing else of weight."""
    core = wish
    if exact := exact_term(core):
        return exact
    if exact := _last_words_of(core) or _last_words_of(_LOOK.sub("", core)):
        return exact
    stripped = core
    while (match := _LEAD.match(stripped + " ")) and stripped:
        rest = stripped[match.end() :] if match.end() <= len(stripped) else ""
        if not rest or rest == stripped:
            break
        stripped = rest
        if exact := exact_term(stripped):
            return exact
    for film, style in load("requests")["films"]["style"].items():
        if re.search(rf"\b{re.escape(film)}\b", wish):
            return {"style": style}
    found = find_terms(wish)
    if not found:
        return None
    left = wish
    for term in reversed(found):
        left = f"{left[: term.start]} {left[term.end :]}"
    words = re.findall(r"[\w'-]+", left)
    small = (
        set(re.findall(r"[a-z]+", _LEAD.pattern))
        | word_list("filler")
        | {"and", "with", "or", "background", "outside", "please"}
    )
    if any(w not in small for w in words):
        return None
    values: Values = {t.field: t.term for t in found}
    if "camera_movement" in values and "slowly" in wish:
        values.pop("pace", None)
    return values


def subject_words(scene: Scene) -> str:
    """Return a pattern for the words by which a wish may name the subject."""
    head = head_of(scene.subject) if scene.subject else ""
    single = lemma(head, "NOUN") if head else ""
    return "|".join(re.escape(w) for w in {head, single} if w) or "\\0"
