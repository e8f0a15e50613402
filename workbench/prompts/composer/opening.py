"""Writes the sentence that a prompt opens with: the user's main clause, and what frames it."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Final

from workbench.prompts.composer.datafiles import english, load
from workbench.prompts.composer.facts import Ground
from workbench.prompts.composer.grammar import head_of
from workbench.prompts.composer.lexicon import find_terms, subject_kind, word_list
from workbench.prompts.composer.morphology import (
    inflect,
    is_adjective,
    is_noun,
    is_plural,
    is_verb,
    lemma,
)
from workbench.prompts.composer.naming import preposition
from workbench.prompts.composer.polishing import polish
from workbench.prompts.composer.reading import Reading, with_article
from workbench.prompts.composer.segments import Modifier
from workbench.prompts.composer.verbs import verb_start
from workbench.prompts.composer.words import article
from workbench.scene import Origin, Scene

__all__ = ["opening", "scene_clause", "setting_phrase", "shot_phrase", "time_phrase"]

_TOLD_ONCE: Final = frozenset({"pace", "style", "lens", "color_palette"})
"""Fields that are not said again when the user's own sentence says them."""
_ACROSS: Final = frozenset({"field", "beach", "desert", "snow", "lot"})
_THROUGH: Final = frozenset(
    {"forest", "city", "garden", "underwater", "space", "sky", "hall", "sea"}
)
_ALONG: Final = frozenset({"street", "road"})


def opening(
    reading: Reading, scene: Scene, at: Ground, rng: random.Random
) -> tuple[str, frozenset[str]]:
    """Return the opening sentence, without full stop, and the fields that it says."""
    sentence, participial = _core(reading, scene)
    inferred = scene.origin("setting") is Origin.INFERRED
    where = setting_phrase(scene, at, after=reading.main) if inferred else ""
    when = time_phrase(scene, rng) if scene.origin("time_of_day") is Origin.INFERRED else ""
    said, glue = _modifiers(reading)
    tails = [polish(t, opens=False) for t in reading.tails]
    shot = shot_phrase(scene, inferred_only=bool(reading.lead))
    if said & {"shot_size", "camera_angle"} or _fields(reading.lead) & {
        "shot_size",
        "camera_angle",
    }:
        shot = ""
    end = " ".join(x for x in (where, when) if x)
    own = _fields(" ".join((reading.main, *reading.tails))) & _TOLD_ONCE
    fields = frozenset(said | _fields(reading.lead) | own)
    if reading.lead and not {"shot_size", "camera_angle"} & fields:
        whole = shot_phrase(scene)
        glue = [*glue, f"framed as {article(whole)} {whole}"] if whole else glue
    rest = "".join(f", {part}" for part in (*tails, *glue))
    if reading.fronted and not reading.lead and sentence:
        sentence = f"{_lower_first(reading.fronted)}, {_lower_first(sentence)}"
    elif reading.fronted and not reading.lead:
        participial = f"{participial} {reading.fronted}"
    if reading.lead:
        text = f"{_led(reading, participial)}{_space(end)}{rest}"
    elif shot and (not sentence or (not tails and rng.random() < 0.35)):
        verb = (
            "follows"
            if "moving" in at.facts and rng.random() < 0.5
            else rng.choice(("shows", "frames", "presents"))
        )
        if _is_place(participial):
            verb = "opens"
        text = f"{article(shot)} {shot} {verb} {participial}{_space(end)}{rest}"
    elif shot and (rest or rng.random() < 0.6):
        text = f"in {article(shot)} {shot}, {_lower_first(sentence)}{_space(end)}{rest}"
    elif shot:
        text = f"{sentence or participial}{_space(end)}{rest}, seen in {article(shot)} {shot}"
    else:
        text = f"{sentence or participial}{_space(end)}{rest}"
    return text, fields


def shot_phrase(scene: Scene, *, inferred_only: bool = False) -> str:
    """Return the shot's size and angle as one noun phrase: "low-angle wide shot"."""
    if inferred_only or not (scene.shot_size or scene.camera_angle):
        return ""
    words: Mapping[str, str] = load("completions")["angle_words"]
    angle = words.get(scene.camera_angle, scene.camera_angle)
    size = scene.shot_size or "shot"
    return f"{angle} {size}".strip()


def setting_phrase(scene: Scene, at: Ground, *, after: str = "") -> str:
    """Return where the scene is, with the preposition that fits the action; empty for nowhere.

    ``after`` is the clause before it: what runs through the snow runs in a forest, not through it.
    """
    setting = scene.setting
    if not setting or setting == scene.subject or setting in scene.action:
        return ""
    if setting.split()[0].lower() in word_list("prepositions"):
        return setting
    kind = at.place.kind if at.place else ""
    if "moving" in at.facts and "airborne" not in at.facts:
        ways = {"across": _ACROSS, "through": _THROUGH, "along": _ALONG}
        way = next((word for word, kinds in ways.items() if kind in kinds), "")
        if way and way not in after.lower().split():
            return f"{way} {setting}"
    return f"{preposition(setting, at.place)} {setting}"


def time_phrase(scene: Scene, rng: random.Random) -> str:
    """Return the time of day as an adverbial: "at dusk"; empty where none is set."""
    phrases: Mapping[str, list[str]] = load("completions")["time_phrases"]
    options = phrases.get(scene.time_of_day)
    return rng.choice(options) if options else ""


def scene_clause(scene: Scene, at: Ground) -> str:
    """Return subject, details, action and setting of ``scene`` as one noun phrase."""
    where = setting_phrase(scene, at)
    setting_name = scene.setting.split(" ", 1)[-1]
    if scene.setting and (
        scene.setting in scene.action or (len(setting_name) > 3 and setting_name in scene.action)
    ):
        where = ""
    return " ".join(
        x for x in (scene.subject or scene.setting, scene.subject_details, scene.action, where) if x
    )


def _fields(text: str) -> frozenset[str]:
    return frozenset(t.field for t in find_terms(text)) if text else frozenset()


def _core(reading: Reading, scene: Scene) -> tuple[str, str]:
    """Return the main clause as a sentence (empty where it cannot be one) and as a noun phrase."""
    main = reading.main if reading.is_unread else polish(reading.main)
    if reading.is_unread:
        return "", main
    if not main:
        noun = scene.subject or with_article(scene.setting) or "the scene"
        return "", noun
    words = main.split()
    at, finite = verb_start(words)
    if at > 0 and finite:
        be = words[at - 1].lower() in {"is", "are", "was", "were"}
        if be:
            return _doing(words, at), " ".join([*words[: at - 1], *words[at:]])
        return main, _participial(words, at)
    if at < 0:
        return "", _articled(main, reading.clause.subject)
    verb = words[at]
    many = _plural_subject(words[:at])
    if at == 0:
        if scene.subject and scene.origin("subject") is Origin.INFERRED:
            subject = scene.subject
            if len(words) > 1 and words[1] == "of":
                words = [words[0], *words[2:]]
                main = " ".join(words)
            if not words[0].endswith("ing"):
                head = "are" if _plural_subject(subject.split()) else "is"
                return f"{subject} {head} {main}", f"{subject} {main}"
            return (
                f"{subject} {_present(verb, many=_plural_subject(subject.split()))} {' '.join(words[1:])}",
                f"{subject} {main}",
            )
        return "", main
    if verb.endswith("ing"):
        compound = re.search(r"\b(?:and|or|,)\s+\w+ing\b", " ".join(words[at + 1 :]))
        if compound or not is_verb(verb):
            head = "are" if many else "is"
            return " ".join([*words[:at], head, *words[at:]]), main
        return " ".join([*words[:at], _present(verb, many=many), *words[at + 1 :]]), main
    head = "are" if many else "is"
    return " ".join([*words[:at], head, *words[at:]]), main


def _participial(words: list[str], at: int) -> str:
    """Return the finite clause as what can be shown: "a dog runs" → "a dog running"."""
    verb = words[at].lower()
    acting = inflect(lemma(verb, "VERB"), "VBG") if is_verb(verb) else words[at]
    return " ".join([*words[:at], acting, *words[at + 1 :]])


def _articled(main: str, subject: str) -> str:
    named = with_article(subject)
    if subject and named.endswith(f" {subject}") and main.startswith(subject):
        return f"{named}{main[len(subject) :]}"
    return main


def _is_place(phrase: str) -> bool:
    """Tell whether ``phrase`` says where, and nothing else: "inside a corridor", "underwater"."""
    first = phrase.split(maxsplit=1)[0].lower() if phrase else ""
    return first in word_list("locative") and verb_start(phrase.split())[0] < 0


def _doing(words: list[str], at: int) -> str:
    """Return "a person is archery" as "a person is doing archery"; other clauses as they are."""
    rest = [w.lower() for w in words[at:]]
    first = rest[0]
    acts = any(w.endswith("ing") for w in rest) or first.endswith("ed")
    plain = (
        first in english("determiners") or first in word_list("prepositions") or is_adjective(first)
    )
    known = is_noun(first) or first in {"push", "tai", "rock", "squat"}
    if acts or plain or not known or subject_kind(head_of(" ".join(rest))) is not None:
        return " ".join(words)
    return " ".join([*words[:at], "doing", *words[at:]])


def _present(verb: str, *, many: bool) -> str:
    base = lemma(verb, "VERB")
    return inflect(base, "VBP" if many else "VBZ")


def _plural_subject(words: list[str]) -> bool:
    phrase = " ".join(words)
    if re.search(r"\band\b", phrase):
        return True
    head = head_of(phrase)
    if " of " in phrase and words[0].lower() in {"a", "an", "the"}:
        first = head_of(phrase.split(" of ")[0])
        return is_plural(first) if first else is_plural(head)
    first_word = words[0].lower() if words else ""
    return is_plural(head) or first_word in {
        "two",
        "three",
        "four",
        "five",
        "several",
        "many",
        "few",
        "six",
    }


def _modifiers(reading: Reading) -> tuple[frozenset[str], list[str]]:
    """Return the fields that the modifiers say in the opening, and the phrases that say them."""
    said: set[str] = set()
    glue: list[str] = []
    for modifier in reading.modifiers:
        phrase = _phrase(modifier)
        if phrase:
            glue.append(phrase)
            said |= modifier.fields
    return frozenset(said), glue


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


def _led(reading: Reading, noun: str) -> str:
    """Return lead and noun phrase joined: "drone footage of a house", "a crane up over a field"."""
    if not reading.joint and re.search(
        r"\b(?:across|over|through|along|around|past|into|above|of)$", reading.lead, re.IGNORECASE
    ):
        return f"{reading.lead} {noun}"
    fronted = f"{_lower_first(reading.fronted)}, " if reading.fronted else ""
    return f"{_lead(reading.lead)} {reading.joint or 'of'} {fronted}{noun}"


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
    elif "camera_angle" in _fields(lead) and last not in word_list("lead_nouns"):
        lead = f"{lead} view"
    return f"{article(lead)} {lead}"


def _space(text: str) -> str:
    return f" {text}" if text else ""


def _lower_first(text: str) -> str:
    first = text.split(maxsplit=1)[0] if text else ""
    if first.lower() in english("determiners") or (
        first.lower() != first and subject_kind(first) and not first.isupper()
    ):
        return text[:1].lower() + text[1:]
    return text
