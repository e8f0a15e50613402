"""Finds what a statement contradicts in the prompt, and the edits that resolve it.

A statement replaces what it contradicts: another colour, side, number, action, kind, text or
camera. The user's own sentences are rewritten; the composer's sentences on the old value are removed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from workbench.actions.model import Action, EditField, RewriteSentence
from workbench.lexicon.morphology import is_plural, lemma
from workbench.lexicon.words import article, sentence_case, sentences
from workbench.prompts.composer.editing import written
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.soundness import finite_at
from workbench.prompts.intents.words import (
    ANIMATE,
    data,
    determiners,
    find_terms,
    number_in,
    subject_kind,
    word_list,
)
from workbench.prompts.phrasing import with_clause

__all__ = ["Settled", "is_kind", "own_sentences", "says", "settled"]


@dataclass(slots=True)
class Settled:
    """A statement with the edits that resolve its contradictions."""

    told: str
    """The statement; empty if the rewritten sentences say all of it."""
    actions: list[Action] = field(default_factory=list)


def settled(told: str, context: Context) -> Settled:
    """Return ``told`` with the edits to what contradicts it in the prompt."""
    for settle in (_camera, _other_kind, _other_text, _one_of_several, _other_actor):
        found = settle(told, context)
        if found is not None:
            return found
    made = Settled(told)
    made.actions += _deserted(told, context)
    made.actions += _in_the_way(told, context)
    made.actions += _colours(told, context) or _sides(told, context)
    rewritten = {a.before for a in made.actions if isinstance(a, RewriteSentence)}
    for action in _opposed(told, context):
        if isinstance(action, RewriteSentence) and action.before not in rewritten:
            made.actions.append(action)
            if says(action.after, told):
                made.told = ""
    return made


def own_sentences(context: Context) -> list[str]:
    """Return the sentences of the prompt not written by the composer."""
    composed = written(context.scene)
    return [one for one in sentences(context.prompt) if one not in composed]


def says(sentence: str, told: str) -> bool:
    """Tell whether ``sentence`` contains all that ``told`` says."""
    return _stems(told) <= _stems(sentence)


def _stems(text: str) -> set[str]:
    small = determiners() | {"is", "are", "be", "it", "he", "she", "they"}
    return {lemma(w) for w in re.findall(r"[a-z'-]+", text.lower()) if w not in small}


# camera

_FILMED: Final = re.compile(r"(?:the )?camera\b", re.IGNORECASE)
_FRAMING: Final = re.compile(r"\b(?:lens|camera|shot|close-up|framed)\b", re.IGNORECASE)
_MEANWHILE: Final = re.compile(r",? (?:as|while) (?=(?:his|her|its|their|the|an?) )", re.IGNORECASE)


def _camera(told: str, context: Context) -> Settled | None:
    """Replace what the prompt says of the camera with ``told``."""
    if _FILMED.match(told) is None or re.search(r"\b(?:see|seen|visible|shakes?)\b", told):
        return None
    own = [s for s in own_sentences(context) if _FILMED.match(s)]
    composed = [
        s
        for s in sentences(context.prompt)
        if s in written(context.scene) and _FRAMING.search(" ".join(s.split()[:9]))
    ]
    actions: list[Action] = [RewriteSentence(before=s, after="") for s in composed]
    if len(own) != 1:
        return Settled(told, actions)
    beside = _MEANWHILE.search(own[0])
    fresh = told.rstrip(".") + (own[0][beside.start() :] if beside is not None else ".")
    return Settled("", [*actions, RewriteSentence(before=own[0], after=fresh)])


# kind, text, one of several

_IS_A: Final = re.compile(
    r"the (?P<old>[\w' -]+?) (?:is|are) (?P<new>(?:an?|two|three) [\w' -]+?)(?P<rest>,? (?:about|around|with|in|who|aged|of|wearing|\w+ing) .+|, .+)?\.",
    re.IGNORECASE,
)


def is_kind(text: str) -> bool:
    """Tell whether ``text`` says what somebody is: "the vendor is a kid"."""
    found = re.match(
        r"the (?P<old>[\w' -]+?) (?:is|should be|are) an? (?P<new>[\w-]+)\b", text, re.IGNORECASE
    )
    return found is not None and subject_kind(found["new"]) in ANIMATE


def _other_kind(told: str, context: Context) -> Settled | None:
    """Turn one person, animal, vehicle or food into another: "the boy is a girl, about 10"."""
    found = _IS_A.fullmatch(told)
    if found is None:
        return None
    old, new = found["old"], found["new"]
    kinds = {subject_kind(old.split()[-1]), subject_kind(new.split()[-1])}
    same = [kind for kind in (ANIMATE, {"vehicle"}, {"food"}) if kinds <= kind]
    if not same or old.split()[-1].lower() == new.split()[-1].lower():
        return None
    named = re.compile(rf"\b(?:(?P<lead>an?|the) )?{re.escape(old)}(?![\w-])", re.IGNORECASE)
    composed = written(context.scene)
    bare = new.split(maxsplit=1)[1]
    actions: list[Action] = []
    for sentence in sentences(context.prompt):
        if not named.search(sentence):
            continue
        fresh = (
            ""
            if sentence in composed
            else sentence_case(
                named.sub(
                    lambda m: (
                        bare
                        if not m["lead"]
                        else new
                        if m["lead"].lower() != "the"
                        else f"the {bare}"
                    ),
                    sentence,
                )
            )
        )
        actions.append(RewriteSentence(before=sentence, after=fresh))
    if not any(isinstance(a, RewriteSentence) and a.after for a in actions):
        return None
    rest = (found["rest"] or "").strip(" ,")
    return Settled(f"The {bare} is {rest}." if rest else "", actions)


_QUOTED: Final = re.compile(r"[\"“]([^\"”]+)[\"”]")


def _other_text(told: str, context: Context) -> Settled | None:
    """Replace the quoted text in the prompt with that of ``told``."""
    fresh = _QUOTED.findall(told)
    old = [s for s in own_sentences(context) if len(_QUOTED.findall(s)) == 1]
    if (
        len(fresh) != 1
        or len(old) != 1
        or not re.search(
            r"\b(?:text|words?|says?|reads?|sign|board|letters?|writing|title|label)\b",
            told,
            re.IGNORECASE,
        )
    ):
        return None
    mark = _QUOTED.search(old[0])
    if mark is None or mark[1] == fresh[0]:
        return None
    after = f"{old[0][: mark.start(1)]}{fresh[0]}{old[0][mark.end(1) :]}"
    return Settled("", [RewriteSentence(before=old[0], after=after)])


_DOES_IT: Final = re.compile(
    r"(?P<who>(?:the|an?|his|her) [\w' -]{2,30}?) (?P<verb>[a-z]+s) (?P<what>it|him|her|them)(?P<rest>(?: [a-z]+){0,2})\.",
    re.IGNORECASE,
)


def _other_actor(told: str, context: Context) -> Settled | None:
    """Replace the actor of a sentence: "the toddler knocks it down", not the cat."""
    found = _DOES_IT.fullmatch(told)
    if found is None:
        return None
    same = re.compile(
        rf"(?P<who>(?:The|An?|His|Her) [\w' -]{{2,30}}?) {found['verb']} (?P<what>[\w' -]+?){found['rest']}\.",
    )
    for sentence in own_sentences(context):
        other = same.fullmatch(sentence)
        if other is not None and other["who"].lower() != found["who"].lower():
            after = f"{sentence_case(found['who'])}{sentence[other.end('who') :]}"
            return Settled("", [RewriteSentence(before=sentence, after=after)])
    return None


def _hues() -> str:
    return "|".join(sorted(map(re.escape, word_list("colors")), key=len, reverse=True))


def _one_of_several(told: str, context: Context) -> Settled | None:
    """Give one of several its own colour: "three cubes, the middle one green and the others blue"."""
    found = re.fullmatch(
        rf"the (?P<which>middle|left|right|first|last|second|third|top|bottom|upper|lower|front|back) (?P<noun>[\w-]+) (?:is|are) (?P<hue>{_hues()})\.",
        told,
        re.IGNORECASE,
    )
    if found is None:
        return None
    several = re.compile(
        rf"\b(?P<number>two|three|four|five|six|seven|\d) (?P<hue>{_hues()}) (?P<noun>[\w-]+)",
        re.IGNORECASE,
    )
    for sentence in own_sentences(context):
        group = several.search(sentence)
        if group is None or lemma(group["noun"], "NOUN") != lemma(found["noun"], "NOUN"):
            continue
        others = "the other" if number_in(group["number"]) == 2 else "the others"
        fresh = f"{group['number']} {group['noun']}, the {found['which']} one {found['hue']} and {others} {group['hue']}"
        tail = sentence[group.end() :]
        comma = "" if re.match(r"[,.;]", tail) else ","
        after = f"{sentence[: group.start()]}{fresh}{comma}{tail}"
        return Settled("", [RewriteSentence(before=sentence, after=after)])
    return None


# time, weather, colours, sides

_DRY: Final = re.compile(r"\b(?:dry|dried|sunny|clear sky|no rain|blue sky)\b", re.IGNORECASE)
_TURN: Final = re.compile(r"\b(turns|pans|swerves|drives|goes|looks) (left|right)\b", re.IGNORECASE)
_LONG: Final = 9
"""Maximum words of a statement on the time or the weather alone."""


_NOBODY: Final = re.compile(
    r"(?:nobody|no one|no-one|none of them|there is nobody)\b", re.IGNORECASE
)
_CROWD: Final = re.compile(
    r"\b(?:the |a |some |many |several |a few )?(?:(?!while |as |when |and |with |where )\w+ )?(?:spectators|crowds?|people|commuters|onlookers|audience|passers-by|passersby|tourists|customers|bystanders|workers|guests|pedestrians|shoppers)\b",
    re.IGNORECASE,
)


def _deserted(told: str, context: Context) -> list[Action]:
    """Return the edits that remove the crowd if ``told`` says that nobody is there."""
    if _NOBODY.match(told) is None:
        return []
    edits: list[Action] = []
    for sentence in own_sentences(context):
        found = _CROWD.search(sentence)
        if found is None:
            continue
        cut = with_clause(sentence, found.start(), found.end())
        kept = f"{sentence[: cut[0]].rstrip(' ,')}{sentence[cut[1] :]}"
        if found.start() == 0:
            edits.append(RewriteSentence(before=sentence, after=""))
        elif cut != found.span():
            edits.append(RewriteSentence(before=sentence, after=kept))
    return edits


def _in_the_way(told: str, context: Context) -> list[Action]:
    """Return the edits to time, weather and shot size that a short statement contradicts."""
    scene = context.scene
    edits: list[Action] = []
    if len(told.split()) > _LONG or re.search(r"\b(?:when|before|after|until|as|while)\b", told):
        return []
    for term in find_terms(told):
        now = getattr(scene, term.field, "")
        if term.field in {"time_of_day", "weather", "shot_size"} and now and now != term.term:
            edits.append(EditField(field=term.field, value=term.term))
    is_wet = scene.weather in {"rain", "drizzle", "heavy rain", "thunderstorm"}
    is_said = any(isinstance(e, EditField) and e.field == "weather" for e in edits)
    is_warm = scene.weather in {"snow", "heavy snow", "blizzard"} and "summer" in told.lower()
    if not is_said and ((is_wet and _DRY.search(told)) or is_warm):
        edits.append(EditField(field="weather", value=""))
    return edits


def _colours(told: str, context: Context) -> list[Action]:
    """Return the edits to sentences in which a thing has another colour than in ``told``."""
    is_hue = rf"(?:(?:{_hues()})(?: and (?:{_hues()}))?)"
    actions: list[Action] = []
    for found in re.finditer(
        rf"\b(?P<a>{is_hue}) (?P<x>[\w-]+)|\b(?P<y>[\w-]+) (?:is|are) (?P<b>{is_hue})\b",
        told.lower(),
    ):
        noun, hue = found["x"] or found["y"], found["a"] or found["b"]
        old = re.compile(
            rf"\b{is_hue}(?= {re.escape(noun)}\b)|(?<=\b{re.escape(noun)} is ){is_hue}\b|(?<=\b{re.escape(noun)} are ){is_hue}\b",
            re.IGNORECASE,
        )
        for sentence in sentences(context.prompt):
            after = sentence_case(old.sub(hue, sentence))
            if after.lower() != sentence.lower() and sentence != told:
                actions.append(RewriteSentence(before=sentence, after=_with_articles(after)))
    return actions


_SIDE: Final = re.compile(r"\bfrom the (left|right)\b", re.IGNORECASE)


def _sides(told: str, context: Context) -> list[Action]:
    """Return the edits to sentences in which something comes from or turns to the other side."""
    turn = _TURN.search(told)
    if turn is not None:
        other = "right" if turn[2].lower() == "left" else "left"
        old = rf"\b{lemma(turn[1].lower(), 'VERB')}(?:s|es)? {other}\b"
        return [
            RewriteSentence(before=s, after=re.sub(old, f"{turn[1]} {turn[2]}", s))
            for s in sentences(context.prompt)
            if re.search(old, s) and s != told
        ]
    side = _SIDE.search(told)
    if side is None or not re.search(
        r"\b(?:com|enter|arriv|appear|approach|overtak|pass)\w*", told
    ):
        return []
    other = "right" if side[1].lower() == "left" else "left"
    told_of = [
        s for s in sentences(context.prompt) if f"from the {other}" in s.lower() and s != told
    ]
    if len(told_of) != 1:
        return []
    after = re.sub(rf"\bfrom the {other}\b", side[0].lower(), told_of[0], flags=re.IGNORECASE)
    return [RewriteSentence(before=told_of[0], after=after)]


# opposites


@cache
def _groups() -> Sequence[re.Pattern[str]]:
    return tuple(_any_of(str(one["words"])) for one in data("opposites")["group"])


def _any_of(words: str) -> re.Pattern[str]:
    listed = sorted(words.split("|"), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, listed))})(?![\w-])", re.IGNORECASE)


_NOT: Final = re.compile(
    r"\b(?:not|never|no|without|n't|no longer)\W+(?:\w+\W+){0,2}$|n't\W+(?:\w+\W+){0,2}$",
    re.IGNORECASE,
)


def _opposed(told: str, context: Context) -> list[Action]:
    """Return the edits to the user's sentences that say the opposite of ``told``."""
    about = _subject(told, context)
    actions: dict[str, str] = {}
    for sentence in own_sentences(context):
        if sentence == told:
            continue
        after = sentence
        for one in data("opposites")["rules_out"]:
            if re.search(rf"\b{one['when']}\b", told, re.IGNORECASE):
                after = re.sub(
                    rf"{_any_of(str(one['words'])).pattern} (?=[a-z])",
                    "",
                    after,
                    flags=re.IGNORECASE,
                )
        if about and about in _stems(sentence):
            after = _turned(told, after, about)
        if after != sentence:
            actions[sentence] = sentence_case(_with_articles(after))
    return [RewriteSentence(before=before, after=after) for before, after in actions.items()]


def _turned(told: str, sentence: str, about: str) -> str:
    """Return ``sentence`` with the word on ``about`` that opposes ``told`` replaced."""
    if re.search(r"\b(?:then|until|when|before|after|first|again|once)\b", told, re.IGNORECASE):
        return sentence  # a later event contradicts nothing
    for group in _groups():
        new = next((m for m in group.finditer(told) if not _NOT.search(told[: m.start()])), None)
        olds = [m for m in group.finditer(sentence) if not _NOT.search(sentence[: m.start()])]
        if new is None or len(olds) != 1 or olds[0][0].lower() == new[0].lower():
            continue
        old = olds[0]
        behind = sentence[old.end() :].split()
        is_before = bool(behind) and lemma(behind[0].strip(".,").lower(), "NOUN") == about
        is_near = about in _stems(" ".join(sentence[: old.start()].split()[-4:]))
        if not (is_before or is_near):
            continue
        is_bare = is_before and " " not in new[0] and new[0].lower() in told.lower().split()
        if is_before and not is_bare:
            return f"{sentence[: old.start()]}{sentence[old.end() :].lstrip()}"
        return f"{sentence[: old.start()]}{new[0]}{sentence[old.end() :]}"
    return sentence


def _subject(told: str, context: Context) -> str:
    """Return the lemma of the subject of ``told``, pronouns resolved; empty if it has none."""
    words = [w.lower().strip(",.") for w in told.split()]
    at = finite_at(words)
    if at < 1:
        return ""
    head = words[at - 1] if " of " not in " ".join(words[:at]) else words[words.index("of") - 1]
    if head in {"he", "she", "it", "they"}:
        spoken = [e for i in context.focus if (e := context.scene.entity(i)) is not None]
        one = next(iter([*spoken, *context.leads()]), None)
        return one.noun if one is not None else ""
    return lemma(head, "NOUN") if is_plural(head) or head else ""


def _with_articles(text: str) -> str:
    return re.sub(r"\b([Aa])n? (?=([a-z][\w-]*))", lambda m: f"{m[1]}{article(m[2])[1:]} ", text)
