"""The text follows its scene: the smallest edit of a prompt for a change of cast, beats or place.

Everything that the change does not touch stays word for word. Works on the words of the text alone;
clauses on light, weather, camera and mood are the composer's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from workbench.lexicon.languages import is_foreign
from workbench.lexicon.morphology import inflect, is_plural, lemma
from workbench.lexicon.terms import place_named
from workbench.lexicon.words import sentence_case, sentences
from workbench.prompts.composer.editing import carry, refit, written
from workbench.prompts.composer.sayings import saying
from workbench.prompts.phrasing import (
    beat_sentence,
    finite,
    newcomer_sentence,
    preposition_for,
)
from workbench.scene import SCENE_FIELDS, Beat, Entity, EntityKind, Scene, canonical_term

__all__ = ["SOUND", "follow", "rewrite"]

_FOLLOWED: Final = frozenset(
    ["subject", "subject_details", "action", "setting", "details", "on_screen_text"]
)
"""The fields whose words this module changes; the composer's clauses say the others."""
_FREE_SENTENCES: Final = {
    "camera_movement": "Camera: {}.",
    "style": "In the style of {}.",
    "viewpoint": "Viewpoint: {}.",
    "lighting": "Lighting: {}.",
    "mood": "Mood: {}.",
    "color_palette": "Colours: {}.",
    "lens": "Lens: {}.",
    "shot_size": "Framing: {}.",
    "weather": "Weather: {}.",
    "time_of_day": "It is {}.",
    "pace": "Pace: {}.",
}
"""How a value is said that is in the words of the user and no established term."""
SOUND: Final = "sound: "
"""How a detail begins that is heard and not seen."""
_DETERMINER: Final = r"(?:an?|the|his|her|its|their|my|this|that|these|those|some|several|many|a few|a lot of|no|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d+|another)"
_PREPOSITION: Final = (
    r"(?:in front of|next to|on top of|in|on|at|inside|into|onto|to|under|near|by|beside|over|across|"
    r"through|outside|along|underneath|behind|above|beneath|among|between|around|from|with|of|off|past|toward|towards|against)"
)
_PLACED: Final = re.compile(
    r"(?:in|on|at|inside|under|near|by|over|across|through|outside|along|behind|above|beneath|among|between|around|aboard|underneath|beside|off)\b",
    re.IGNORECASE,
)


_LABELLED: Final = re.compile(
    rf"(?:{'|'.join(t.split('{')[0].strip() for t in _FREE_SENTENCES.values())}|Style:|Sound:|Shot on)\b"
)
"""A sentence that says a value in the words of the user."""
_WRITTEN: Final = re.compile(r"\s*The words are ([^.]+)\.")
"""The sentence that says where words can be read, before it is joined to them."""


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int


def rewrite(prompt: str, before: Scene, after: Scene) -> str:
    """Return ``prompt`` as it reads when its scene is ``after`` instead of ``before``."""
    free = [
        name
        for name in _FREE_SENTENCES
        if getattr(before, name) != getattr(after, name) and _is_free(name, before, after)
    ]
    told = {name: getattr(after, name) for name in SCENE_FIELDS if name not in _FOLLOWED}
    between = before.edit({**told, **dict.fromkeys(free, "")}, force=True)
    text = prompt if between == before else carry(prompt, before, between)
    text = text if between == after else refit(text, between, after)
    for name in free:
        text = _with_free_value(text, name, getattr(before, name), getattr(after, name))
    return follow(text, between, after)


def _is_free(name: str, before: Scene, after: Scene) -> bool:
    """Tell whether a field goes to or from a value in the words of the user."""
    return any(
        value and canonical_term(name, value) is None
        for value in (getattr(before, name), getattr(after, name))
    )


def _with_free_value(text: str, name: str, old: str, new: str) -> str:
    """Return ``text`` with the sentence of a value that is in the words of the user."""
    said = _free_sentence(name, old)
    if said and said in text:
        return " ".join(text.replace(said, _free_sentence(name, new)).split())
    if not new:
        return text
    base = text.rstrip()
    stop = "" if base.endswith((".", "!", "?")) else "."
    return f"{base}{stop} {_free_sentence(name, new)}"


def _free_sentence(name: str, value: str) -> str:
    if not value:
        return ""
    if name == "style" and value.lower().startswith("shot on "):
        return f"{sentence_case(value)}."
    if name == "style" and not value[:1].isupper() and not re.match(r"(?:an?|the)\s", value):
        return f"Style: {value}."
    return _FREE_SENTENCES[name].format(value)


def follow(prompt: str, before: Scene, after: Scene) -> str:
    """Return ``prompt`` as it reads when cast, beats and place are those of ``after``."""
    text = prompt
    was = {entity.id: entity for entity in before.cast}
    now = {entity.id: entity for entity in after.cast}
    known = {beat.id: beat for beat in before.beats}
    kept_beats = {b.id for b in after.beats if b.id in known and _is_same(known[b.id], b)}
    if before.setting != after.setting:
        text = _with_place(text, before.setting, after.setting)
    for beat in after.beats:
        old = known.get(beat.id) if beat.id in kept_beats else None
        if old is not None and old != beat:
            text = _with_beat(text, old, beat, after)
    gone = [entity for entity in before.cast if entity.id not in now]
    for beat in before.beats:
        if beat.id not in kept_beats and beat.actor not in {e.id for e in gone}:
            text = _without_beat(text, beat, before)
    for entity in gone:
        text = _without_entity(text, entity, before, after)
    for entity in after.cast:
        old_entity = was.get(entity.id)
        if old_entity is not None and old_entity != entity:
            text = _with_entity(text, old_entity, entity, after)
    text = _with_newcomers(text, before, after)
    if before.details != after.details:
        text = _with_details(text, before.details, after.details)
    if before.on_screen_text != after.on_screen_text:
        text = _with_written(text, before.on_screen_text, after.on_screen_text)
        if after.on_screen_text and (where := _WRITTEN.search(text)) is not None:
            text = text.replace(where[0], "").replace(
                "can be read in the picture", f"can be read {where[1]}"
            )
    return _tidy(text)


def _is_same(old: Beat, new: Beat) -> bool:
    """Tell whether ``new`` is ``old``, perhaps changed, and not another beat under a freed id."""
    return new.told in {"", old.told}


# entities


def _mention(text: str, entity: Entity) -> _Span | None:
    """Return where ``text`` first names ``entity``, with its article and the looks before it."""
    for name in dict.fromkeys((entity.name, entity.phrase, entity.noun)):
        if not name:
            continue
        found = re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE)
        if found is not None:
            return _widened(text, _Span(found.start(), found.end()), entity)
    if entity.noun:
        for found in re.finditer(r"[\w'-]+", text):
            if lemma(found[0].lower(), "NOUN") == entity.noun:
                return _widened(text, _Span(found.start(), found.end()), entity)
    return None


def _widened(text: str, span: _Span, entity: Entity) -> _Span:
    """Return ``span`` with the looks and the determiner before it."""
    start = span.start
    looks = {w.lower() for look in entity.looks for w in look.text.split()}
    while found := re.search(r"(?<![\w-])([\w'-]+),?\s+\Z", text[:start]):
        if found[1].lower() not in looks:
            break
        start = found.start()
    own = re.search(rf"(?<![\w-]){_DETERMINER}\s+\Z", text[:start], re.IGNORECASE)
    if own is not None and not re.match(rf"{_DETERMINER}\s", text[start : span.end], re.IGNORECASE):
        start = own.start()
    return _Span(start, span.end)


def _starts_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip()
    return not before or before.endswith((".", "!", "?", '"', "”"))


def _put(text: str, span: _Span, words: str) -> str:
    made = sentence_case(words) if _starts_sentence(text, span.start) else words
    return f"{text[: span.start]}{made}{text[span.end :]}"


def _with_entity(text: str, old: Entity, new: Entity, after: Scene) -> str:
    span = _mention(text, old)
    if span is None:
        changed = [k.text for k in new.looks if k not in old.looks]
        if not changed and old.position == new.position and old.name == new.name:
            return text
        return _added(text, newcomer_sentence(new, definite=True), after)
    name_before, name_after = old.name, new.name
    if name_before != name_after:
        said = text[span.start : span.end]
        name = name_after
        if said.lower().startswith("the ") and new.determiner.lower() in {"a", "an"}:
            name = re.sub(r"^an?\s+", "the ", name_after)
        text = _put(text, span, name)
        span = _Span(span.start, span.start + len(name))
        text = _renamed_later(text, span.end, old, new)
        text = _with_pronouns(text, span, old, new, after)
        if _is_many(old) is not _is_many(new):
            text = _agreeing(text, span.end, many=_is_many(new))
    text = _with_looks_after(text, span, old, new)
    if old.position != new.position:
        text = _with_position(text, span, old, new)
    return text


_HIS: Final = {"he": "she", "his": "her", "him": "her", "himself": "herself"}
_HERS: Final = {"she": "he", "herself": "himself"}


def _with_pronouns(text: str, span: _Span, old: Entity, new: Entity, after: Scene) -> str:
    """Return ``text`` with the pronouns of somebody who has become a woman or a man.

    They stay where anybody else is about whom they could stand for.
    """
    words = {w.lower() for w in new.phrase.split()}
    people = [e for e in after.cast if e.kind is EntityKind.PERSON]
    is_female = bool(words & {"woman", "girl", "lady", "grandmother", "mother", "queen"})
    is_male = bool(words & {"man", "boy", "guy", "grandfather", "father", "king"})
    if len(people) != 1 or not (is_female or is_male) or old.phrase == new.phrase:
        return text
    forms = _HIS if is_female else _HERS

    def other(found: re.Match[str]) -> str:
        made = forms[found[0].lower()]
        return sentence_case(made) if found[0][0].isupper() else made

    rest = re.sub(rf"\b(?:{'|'.join(forms)})\b", other, text[span.end :], flags=re.IGNORECASE)
    if is_male:
        rest = re.sub(r"\bher (?=[a-z])", "his ", rest)
    return text[: span.end] + rest


def _is_many(entity: Entity) -> bool:
    if entity.count is None:
        return is_plural(entity.name.split(" of ")[0].split()[-1]) if entity.name else False
    return entity.count != 1


def _renamed_later(text: str, at: int, old: Entity, new: Entity) -> str:
    """Return ``text`` with later mentions of the entity under its new noun and number."""
    head_old, head_new = _head(old), _head(new)
    if head_old.lower() == head_new.lower():
        return text
    rest = text[at:]
    single, many = old.noun, inflect(old.noun, "NNS") if old.noun else ""
    forms = [w for w in dict.fromkeys((head_old, old.phrase, single, many)) if w]
    pattern = re.compile(
        rf"\b(?P<the>the|The|this|This|that|That)\s+(?:{'|'.join(re.escape(f) for f in sorted(forms, key=len, reverse=True))})(?P<s>'s|')?(?![\w-])"
    )
    return text[:at] + pattern.sub(lambda m: f"{m['the']} {head_new}{m['s'] or ''}", rest)


def _head(entity: Entity) -> str:
    words = entity.name.split(" of ")[0].split()
    return words[-1] if words else entity.phrase


def _agreeing(text: str, at: int, *, many: bool) -> str:
    """Return ``text`` with the verb after ``at`` in the number of its subject."""
    found = re.match(r"\s+([A-Za-z]+)\b", text[at:])
    if found is None:
        return text
    verb = found[1]
    low = verb.lower()
    pairs = {"is": "are", "was": "were", "has": "have"}
    other = {v: k for k, v in pairs.items()}
    fresh = pairs.get(low) if many else other.get(low)
    if fresh is None:
        base = lemma(low, "VERB")
        single = inflect(base, "VBZ") if base else low
        if many and low == single and low != base:
            fresh = base
        elif not many and low == base and single != base and lemma(low, "NOUN") != low:
            fresh = single
    return text if fresh is None else text[:at] + text[at:].replace(verb, fresh, 1)


def _with_looks_after(text: str, span: _Span, old: Entity, new: Entity) -> str:
    was = [look.text for look in old.looks if look.place == "after"]
    now = [look.text for look in new.looks if look.place == "after"]
    gone = [t for t in was if t not in now]
    come = [t for t in now if t not in was]
    for one in gone:
        found = re.search(re.escape(one), text, re.IGNORECASE)
        if found is None:
            continue
        if come:
            text = text[: found.start()] + come.pop(0) + text[found.end() :]
        else:
            text = _cut(text, found.start(), found.end())
    at = span.end
    for one in was:
        found = re.compile(re.escape(one), re.IGNORECASE).search(text, span.start)
        if found is not None and one in now:
            at = max(at, found.end())
    for one in come:
        text = f"{text[:at]} {one}{text[at:]}"
        at += len(one) + 1
    return text


def _with_position(text: str, span: _Span, old: Entity, new: Entity) -> str:
    if old.position:
        found = re.compile(re.escape(old.position), re.IGNORECASE).search(text, span.start)
        if found is not None:
            if new.position:
                return text[: found.start()] + new.position + text[found.end() :]
            return _cut(text, found.start(), found.end())
    if not new.position:
        return text
    at = span.end
    for look in new.looks:
        found = (
            re.compile(re.escape(look.text), re.IGNORECASE).search(text, span.end)
            if look.place == "after"
            else None
        )
        if found is not None and found.start() <= at + 2:
            at = found.end()
    return f"{text[:at]} {new.position}{text[at:]}"


def _without_entity(text: str, entity: Entity, before: Scene, after: Scene) -> str:
    for beat in before.beats:  # a sentence that was told of it goes as a whole
        if beat.told in text and re.search(rf"\b{re.escape(entity.phrase)}\b", beat.told):
            text = text.replace(beat.told, "") if beat.told else text
    span = _mention(text, entity)
    if span is None:
        return text
    end = span.end
    for extra in (entity.details, entity.position):
        if extra and (
            found := re.compile(rf"\s*,?\s*{re.escape(extra)}", re.IGNORECASE).match(text, end)
        ):
            end = found.end()
    sentence_start, sentence_end = _sentence_at(text, span.start)
    joined = re.compile(r"\s*(?:,\s*and|and|,)\s+").match(text, end)
    lead = re.search(r"\s*(?:,\s*and|\band|,|\bwith)\s+\Z", text[: span.start])
    own_beats = [b for b in before.beats if b.actor == entity.id]
    opening = text[sentence_start : span.start].strip().lower().rstrip(",")
    opens = opening in {
        "",
        "then",
        "finally",
        "meanwhile",
        "there is",
        "there are",
        "in the background",
    }
    others = [e for e in after.cast if e.is_lead]
    if opens and joined and not _is_verb_next(text, joined.end()):
        return _put_start(text, sentence_start, span.start, joined.end())
    if (lead is not None and lead[0].strip() in {"and", ", and"}) or (
        lead is not None and lead[0].strip() == "with" and not own_beats
    ):
        cut_end = end
        for beat in own_beats:
            at = _beat_at(text, beat, cut_end)
            if at is not None and at.start - cut_end < 4:
                cut_end = at.end
        return _cut(text, lead.start(), cut_end)
    if opens:
        if sentence_start > 0 or others:
            rest = text[sentence_end:]
            return (
                f"{text[:sentence_start]}{rest}"
                if sentence_start or rest.strip()
                else after.setting
            )
        place = sentence_case(after.setting) if after.setting else ""
        return f"{place}.{text[sentence_end:]}" if place else text[sentence_end:]
    led = re.search(rf"\s*,?\s*\b{_PREPOSITION}\s+\Z", text[: span.start], re.IGNORECASE)
    cut_end = end
    for beat in own_beats:
        at = _beat_at(text, beat, cut_end)
        if at is not None and at.start - cut_end < 4:
            cut_end = at.end
    return _cut(text, led.start() if led else span.start, cut_end)


def _is_verb_next(text: str, at: int) -> bool:
    found = re.match(r"([\w'-]+)", text[at:])
    return found is not None and found[1].lower().endswith("ing")


def _put_start(text: str, start: int, mention: int, end: int) -> str:
    kept = text[start:mention]
    rest = text[end:]
    return f"{text[:start]}{kept}{sentence_case(rest) if not kept.strip() else rest}"


def _sentence_at(text: str, at: int) -> tuple[int, int]:
    """Return where the sentence around ``at`` begins and ends, its space included."""
    start = 0
    for part in sentences(text):
        begin = text.index(part, start)
        end = begin + len(part)
        if begin <= at < end:
            after = re.match(r"\s*", text[end:])
            return begin, end + (after.end() if after else 0)
        start = end
    return 0, len(text)


# beats


def _beat_at(text: str, beat: Beat, start: int = 0) -> _Span | None:
    """Return where ``text`` tells ``beat``, in whichever form of its verb."""
    for form in _forms(beat.text):
        found = re.compile(rf"(?<![\w-]){re.escape(form)}(?![\w-])", re.IGNORECASE).search(
            text, start
        )
        if found is not None:
            return _Span(found.start(), found.end())
    verb = re.escape(beat.text.split()[0]) if beat.text else ""
    if verb:
        base = re.escape(lemma(beat.text.split()[0], "VERB"))
        found = re.compile(rf"\b(?:{verb}|{base}(?:s|es)?)\b", re.IGNORECASE).search(text, start)
        if found is not None and len(beat.text.split()) == 1:
            return _Span(found.start(), found.end())
    return None


def _forms(doing: str) -> Sequence[str]:
    return tuple(dict.fromkeys((doing, finite(doing, plural=False), finite(doing, plural=True))))


def _with_beat(text: str, old: Beat, new: Beat, after: Scene) -> str:
    if old.told and old.told in text:
        return text.replace(old.told, beat_sentence(new, after))
    span = _beat_at(text, old)
    if old.actor != new.actor and old.text == new.text:
        return text
    if span is None:
        return _added(text, beat_sentence(new, after), after)
    said = text[span.start : span.end]
    if said.lower() == old.text.lower():
        fresh = new.text
    else:
        fresh = finite(new.text, plural=said.lower() == finite(old.text, plural=True).lower())
    return _put(text, span, fresh)


def _without_beat(text: str, beat: Beat, before: Scene) -> str:
    if beat.told and beat.told in text:
        return text.replace(beat.told, "")
    span = _beat_at(text, beat)
    if span is None:
        return text
    start, end = _sentence_at(text, span.start)
    actor = before.entity(beat.actor)
    opening = text[start : span.start].strip().lower()
    is_own = (
        start > 0
        and actor is not None
        and opening.rstrip()
        in {
            f"the {actor.phrase.lower()}",
            actor.name.lower(),
            f"then, the {actor.phrase.lower()}",
            f"finally, the {actor.phrase.lower()}",
        }
    )
    if is_own:
        return text[:start] + text[end:]
    begin = span.start
    lead = re.search(
        r"(?:\s*,)?\s+(?:and|while|then|who is|who are|that is|that are|is|are)\s+\Z", text[:begin]
    )
    if lead is not None:
        begin = lead.start()
    return _cut(text, begin, span.end)


def _with_newcomers(text: str, before: Scene, after: Scene) -> str:
    """Return ``text`` with a sentence for each new entity and each new beat."""
    known = {beat.id: beat for beat in before.beats}
    fresh = [b for b in after.beats if b.id not in known or not _is_same(known[b.id], b)]
    had = {entity.id for entity in before.cast}
    come = [entity for entity in after.cast if entity.id not in had]
    told = list(dict.fromkeys(beat.told for beat in fresh if beat.told))
    shown: list[str] = []
    for entity in come:
        own = [beat for beat in fresh if beat.actor == entity.id]
        if any(beat.told for beat in own):
            continue
        bare = replace(entity, looks=(), position="")
        is_named = (
            not own and (entity.looks or entity.position) and entity.determiner.lower() == "the"
        )
        mention = _mention(text, bare) if is_named else None
        if mention is not None:
            said = text[mention.start : mention.end]
            text = _with_entity(text, _as_said(bare, said), _as_said(entity, said), after)
        elif not before.cast and not before.beats and entity.is_lead and not told:
            text = _opened_with(text, entity, own, after)
            fresh = [beat for beat in fresh if beat not in own]
        elif not own and not any(entity.phrase in one for one in told):
            shown.append(newcomer_sentence(entity))
    new = {entity.id for entity in come}
    for beat in fresh:
        if beat.told:
            shown += [beat.told] if beat.told not in shown else []
            continue
        same = [b for b in fresh if b.actor == beat.actor and not b.told]
        others = same if beat.actor in new else [beat]
        if others[0] == beat:
            is_new = beat.actor in new
            shown.append(beat_sentence(beat, after, others=others[1:], is_new=is_new))
    return _added(text, " ".join(filter(None, shown)), after)


def _as_said(entity: Entity, said: str) -> Entity:
    """Return ``entity`` with the determiner with which the text names it."""
    first = said.split(maxsplit=1)[0]
    own = first if re.fullmatch(_DETERMINER, first, re.IGNORECASE) and " " in said else ""
    return Entity(
        id=entity.id, phrase=entity.phrase, noun=entity.noun, count=entity.count, kind=entity.kind,
        looks=entity.looks, position=entity.position, determiner=own,
    )  # fmt: skip


def _opened_with(text: str, entity: Entity, own: Sequence[Beat], after: Scene) -> str:
    """Return ``text`` of a bare place with its first entity in front: "A dog running in a street"."""
    doing = f" {own[0].text}" if own else ""
    if after.setting and (
        found := re.match(
            rf"(?:an?\s+|the\s+)?{re.escape(re.sub(r'^(?:an?|the) ', '', after.setting))}",
            text,
            re.IGNORECASE,
        )
    ):
        lead = f"{entity.text}{doing} {preposition_for(after.setting)} {after.setting}"
        return sentence_case(lead) + text[found.end() :]
    return _added(
        text, beat_sentence(own[0], after, is_new=True) if own else newcomer_sentence(entity), after
    )


def _added(text: str, sentence: str, scene: Scene) -> str:
    """Return ``text`` with ``sentence`` behind what the user said, before what the composer added."""
    parts = sentences(text)
    if not sentence or not parts:
        return sentence or text
    composed = written(scene) | {saying(name, getattr(scene, name)) for name in _FREE_SENTENCES}
    at = next(
        (n for n, one in enumerate(parts) if n and (one in composed or _LABELLED.match(one))),
        len(parts),
    )
    if not parts[at - 1].endswith((".", "!", "?", "。")):
        parts[at - 1] += "。" if sentence.endswith("。") else "."
    parts.insert(at, sentence)
    return " ".join(parts)


# place, details, text


def _with_place(text: str, old: str, new: str) -> str:
    if old:
        bare = re.sub(r"^(?:an?|the)\s+", "", old, flags=re.IGNORECASE)
        pattern = re.compile(
            rf"(?:(?P<prep>\b{_PREPOSITION})\s+)?(?P<name>(?:\b(?:an?|the)\s+)?{re.escape(bare)})(?![\w-])",
            re.IGNORECASE,
        )
        found = pattern.search(text)
        if found is not None:
            if not new:
                return _cut(text, found.start(), found.end())
            return _replaced_place(text, found, new)
    if not new:
        return text
    parts = sentences(text)
    if not parts:
        return text
    where = new if _PLACED.match(new) else f"{preposition_for(new)} {new}"
    first = parts[0].rstrip(".!?")
    parts[0] = f"{first}, {where}." if "," in first else f"{first} {where}."
    return " ".join(parts)


def _replaced_place(text: str, found: re.Match[str], new: str) -> str:
    start, end = found.start(), found.end()
    rest = re.compile(re.escape(found["name"]), re.IGNORECASE)
    if found["prep"] is None:
        made = re.sub(r"^(?:in|on|at)\s+", "", new)
        opened = _starts_sentence(text, start)
        text = text[:start] + (sentence_case(made) if opened else made) + text[end:]
    else:
        prep = found["prep"]
        where = new if _PLACED.match(new) else f"{_fitting(prep, new)} {new}"
        text = text[:start] + where + text[end:]
    later = re.sub(r"^(?:an?|the)\s+", "the ", new)
    tail_at = start + len(new)
    return text[:tail_at] + rest.sub(later, text[tail_at:])


def _fitting(prep: str, new: str) -> str:
    """Return the preposition that stood there where it suits the new place as well."""
    if prep.lower() in {
        "across",
        "through",
        "along",
        "over",
        "past",
        "into",
        "onto",
        "toward",
        "towards",
    }:
        head = new.split(" of ", maxsplit=1)[0].rsplit(maxsplit=1)[-1]
        place = place_named(head)
        if place is not None and place.sky == "open":
            return prep
        return preposition_for(new)
    return preposition_for(new)


def _with_details(text: str, before: Sequence[str], after: Sequence[str]) -> str:
    gone = [d for d in before if d not in after]
    come = [d for d in after if d not in before]
    for one in gone:
        found = re.search(re.escape(one), text, re.IGNORECASE)
        if found is None:
            continue
        if come:
            text = text[: found.start()] + come.pop(0) + text[found.end() :]
            continue
        start, end = _sentence_at(text, found.start())
        if len(text[start:end].split()) <= len(one.split()) + 3:
            text = text[:start] + text[end:]
            continue
        led = re.search(
            rf"\s*,?\s*(?:\b{_PREPOSITION}\s+|\band\s+|\bthere (?:is|are)\s+)\Z",
            text[: found.start()],
            re.IGNORECASE,
        )
        text = _cut(text, led.start() if led else found.start(), found.end())
    for one in come:
        if one.startswith(SOUND):
            text = f"{text.rstrip()}{'' if text.rstrip().endswith(('.', '!', '?')) else '.'} {sentence_case(one)}."
            continue
        parts = sentences(text)
        first = parts[0].rstrip(".!?") if parts else ""
        head = re.split(rf"\s{_PREPOSITION}\s", one)[0].split()[-1]
        verb = "are" if is_plural(head) else "is"
        parts = [*parts[:1], f"There {verb} {one}.", *parts[1:]]
        if first and not parts[0].endswith((".", "!", "?")):
            parts[0] = f"{first}."
        text = " ".join(parts)
    return text


def _with_written(text: str, before: str, after: str) -> str:
    if before and before in text:
        return (
            text.replace(before, after)
            if after
            else _cut(text, *_sentence_at(text, text.index(before)))
        )
    if not after:
        return text
    base = text.rstrip()
    stop = "" if base.endswith((".", "!", "?")) else "."
    return f"{base}{stop} The words “{after}” can be read in the picture."


# tidying


def _cut(text: str, start: int, end: int) -> str:
    """Return ``text`` without a span and what would be left over around it."""
    before, after = text[:start].rstrip(), text[end:]
    after = re.sub(r"^\s*,(?=\s*[.,])", "", after)
    if before.endswith(",") and re.match(r"\s*[,.]", after):
        before = before.rstrip(",")
    joined = (
        f"{before} {after.lstrip()}"
        if not re.match(r"\s*[.,!?]", after)
        else f"{before}{after.lstrip()}"
    )
    return sentence_case(joined.lstrip(" ,")) if not before else joined


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([.,!?])", r"\1", text)
    text = re.sub(r":\s*,", ":", re.sub(r"[,:]\s*\.", ".", text))
    text = re.sub(r"\.\s*\.", ".", text)
    if is_foreign(text):
        return text.strip()
    text = re.sub(
        r"(?<![\w-])([Aa])n? (?=[A-Za-z])", lambda m: f"{_article(m[1], text[m.end() :])} ", text
    )
    return text.strip()


def _article(said: str, following: str) -> str:
    from workbench.lexicon.words import article  # noqa: PLC0415

    word = article(following[:16])
    return word.capitalize() if said.isupper() else word
