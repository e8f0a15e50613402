"""Writes the sentence that a prompt opens with: the user's main clause, and what frames it."""

from __future__ import annotations

import random
import re
from typing import Final

from workbench.lexicon.articles import with_article
from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import (
    inflect,
    is_adjective,
    is_noun,
    is_plural,
    is_verb,
    lemma,
)
from workbench.lexicon.nouns import head_of
from workbench.lexicon.terms import subject_kind, word_list
from workbench.lexicon.words import article
from workbench.prompts.composer.circumstances import setting_phrase, shot_phrase, time_phrase
from workbench.prompts.composer.facts import Ground
from workbench.prompts.composer.framing import led, modifiers
from workbench.prompts.composer.polishing import lower_first, polish
from workbench.prompts.composer.reading import Reading
from workbench.prompts.composer.segments import fields_of
from workbench.prompts.composer.verbs import verb_start
from workbench.scene import Origin, Scene

__all__ = ["opening"]

_WHEN: Final = re.compile(r"(?:at|in the|during the) \w+(?: hour)?\Z")
_SEEN_IN: Final = "seen in "
"""How a modifier begins that says in which shot or view the scene is seen."""
_TOLD_ONCE: Final = frozenset({"pace", "style", "lens", "color_palette"})
"""Fields that are not said again when the user's own sentence says them."""


def opening(
    reading: Reading, scene: Scene, at: Ground, rng: random.Random
) -> tuple[str, frozenset[str]]:
    """Return the opening sentence, without full stop, and the fields that it says."""
    sentence, participial = _core(reading, scene)
    inferred = scene.origin("setting") is Origin.INFERRED
    where = setting_phrase(scene, at, after=reading.main) if inferred else ""
    when = time_phrase(scene, rng) if scene.origin("time_of_day") is Origin.INFERRED else ""
    said, glue = modifiers(reading)
    tails = [_tail(t) for t in reading.tails]
    shot = shot_phrase(scene, inferred_only=bool(reading.lead))
    if said & {"shot_size", "camera_angle"} or fields_of(reading.lead) & {
        "shot_size",
        "camera_angle",
    }:
        shot = ""
    end = " ".join(x for x in (where, when) if x)
    own = fields_of(" ".join((reading.main, *reading.tails))) & _TOLD_ONCE
    fields = frozenset(said | fields_of(reading.lead) | own)
    if reading.lead and not {"shot_size", "camera_angle"} & fields:
        whole = shot_phrase(scene)
        glue = [*glue, f"framed as {article(whole)} {whole}"] if whole else glue
    if glue and not tails and _WHEN.match(glue[0]):
        end = f"{end} {glue.pop(0)}".strip()
    rest = "".join(f", {part}" for part in (*tails, *glue))
    if reading.fronted and not reading.lead:
        fronted = lower_first(reading.fronted)
        sentence = f"{fronted}, {lower_first(sentence)}" if sentence else ""
        participial = f"{participial} {fronted}"
    view = next((part for part in glue if part.startswith(_SEEN_IN)), "")
    if not sentence and not shot and not reading.lead and view:
        shown = "".join(f", {part}" for part in (*tails, *glue) if part != view)
        text = f"{view.removeprefix(_SEEN_IN)} shows {participial}{_space(end)}{shown}"
    elif reading.lead:
        text = f"{led(reading, participial)}{_space(end)}{rest}"
    elif shot and (not sentence or (not tails and rng.random() < 0.35)):
        verb = (
            "follows"
            if "moving" in at.facts and rng.random() < 0.5
            else rng.choice(("shows", "frames", "presents"))
        )
        if _is_place(participial):
            verb = "opens"
        text = f"{article(shot)} {shot} {verb} {participial}{_space(end)}{rest}"
    elif shot and not reading.fronted and (rest or rng.random() < 0.6):
        text = f"in {article(shot)} {shot}, {lower_first(sentence)}{_space(end)}{rest}"
    elif shot:
        text = f"{sentence or participial}{_space(end)}{rest}, seen in {article(shot)} {shot}"
    elif sentence or reading.is_unread:
        text = f"{sentence or participial}{_space(end)}{rest}"
    else:
        text = f"the frame shows {participial}{_space(end)}{rest}"
    return text, fields


def _tail(tail: str) -> str:
    """Return a further segment to follow a comma: "dark background" → "against a dark background"."""
    words = tail.lower().split()
    if words == ["portrait"]:
        return "framed as a portrait"
    if words[-1] in {"background", "backdrop"} and words[0] not in word_list("prepositions"):
        return f"against {with_article(tail)}"
    return polish(tail, opens=False)


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
            doing = _doing(words, at)
            return doing, " ".join([*words[: at - 1], *doing.split()[at:]])
        return main, _participial(words, at)
    if at < 0:
        return "", _articled(main, reading.clause.subject)
    if words[at - 1].lower() in {"while", "when"}:
        return "", main
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


def _space(text: str) -> str:
    return f" {text}" if text else ""
