"""What can be seen of a scene, each sentence with the values that it stands on. Invents nothing.

The sentences are data (``evidence.toml``): a rule speaks only where all that it names is in the scene.
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from workbench.lexicon.morphology import is_plural, lemma
from workbench.lexicon.tagging import verb_classes
from workbench.lexicon.terms import place_named, subject_kind, word_list
from workbench.lexicon.words import sentence_case, tokens
from workbench.prompts.composer.datafiles import load
from workbench.scene import Beat, Entity, EntityKind, Scene

__all__ = ["Facts", "Support", "framing", "name_of", "supports"]

_AGREE: Final = re.compile(r"\[([^|\]]+)\|([^\]]+)\]")
_AGREE_T: Final = re.compile(r"<([^|>]+)\|([^>]+)>")
_SLOT: Final = re.compile(r"\{(\w+)(:cap)?\}")
_FIELDS: Final = {
    "weather": "weather", "time": "time_of_day", "light": "lighting", "view": "viewpoint",
    "style": "style", "pace": "pace", "lens": "lens",
}  # fmt: skip
_LIVELY: Final = frozenset(
    {EntityKind.PERSON, EntityKind.ANIMAL, EntityKind.ROBOT, EntityKind.CROWD}
)
_HANDLED: Final = frozenset({EntityKind.OBJECT, EntityKind.FOOD, EntityKind.PLANT})
_ASIDE: Final = frozenset({"outside", "behind", "near", "beside", "above", "below", "under", "past",
                           "opposite", "over", "beneath", "by"})  # fmt: skip
_EXACT: Final = frozenset({"nouns", "words", "also_words", "by", "objects", "says"})
_LEADS_ON: Final = frozenset({"up", "down", "away", "off", "out", "back", "home", "and", "then", "again",
                              "alone", "fast", "free", "together", "around", "forward", "apart", "so",
                              "too", "very", "still", "left", "right", "upwards", "downhill",
                              "sideways", "backwards", "outside", "inside", "slow", "wild"})  # fmt: skip
_CUTTING: Final = frozenset(
    {"slice", "cut", "chop", "cook", "fry", "grill", "gut", "fillet", "eat"}
)
_GAITS: Final = frozenset({"walk", "run", "trot", "gallop", "jog", "sprint", "march", "cycle", "skate",
                           "stroll", "race", "trudge", "hurry", "wander", "canter", "pace"})  # fmt: skip
_MECHANICAL: Final = frozenset({"roll", "topple", "tip", "fall", "bounce", "slide", "swing", "drop",
                                "spill", "shatter", "collapse", "tilt", "slip", "spin", "balance"})  # fmt: skip
_MOST_EVENTS: Final = 2
_MOST: Final = 4


@dataclass(frozen=True, slots=True)
class Support:
    """A sentence that the composer adds, and what of the scene it stands on."""

    text: str
    kind: str
    """What it shows: event, look, place, air, view, finish or frame."""
    evidence: tuple[str, ...]
    """The fields, and the ids of entities and beats, that it stands on."""
    values: tuple[tuple[str, str], ...] = ()
    """Fields that it says and that nobody had said: shot size, camera movement."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """One rule of the file; empty sets ask for nothing."""

    kind: str
    text: str
    tests: tuple[tuple[str, frozenset[str]], ...]
    shot: str = ""
    move: str = ""
    """What a framing says of shot size and camera movement."""

    @property
    def weight(self) -> int:
        """How much it asks for: the rule that asks for more knows more."""
        exact = sum(key in _EXACT for key, _ in self.tests)
        return len(self.tests) * 10 + exact * 2 - sum(len(words) > 12 for _, words in self.tests)


@cache
def _rules() -> tuple[_Rule, ...]:
    made = []
    for entry in load("evidence")["say"]:
        tests = tuple(
            (key, frozenset(shlex.split(value)))
            for key, value in entry.items()
            if key not in {"text", "is", "shot", "move"}
        )
        made.append(
            _Rule(
                entry.get("is", "event"),
                entry["text"],
                tests,
                entry.get("shot", ""),
                entry.get("move", ""),
            )
        )
    return tuple(made)


def supports(scene: Scene, *, most: int = _MOST) -> tuple[Support, ...]:
    """Return what can be seen of ``scene``, best first in the order of a prompt.

    ``most`` is how many there are at most; what happens comes before what it looks like.
    """
    facts = Facts(scene)
    events = list(_events(facts))[:_MOST_EVENTS]
    found: list[Support] = list(events)
    kinds = ("look", "place", "air", "view", "finish")
    found += [one for kind in kinds if (one := _best(facts, kind, None))]
    if len(found) > most:
        order = ["event", "view", "air", "finish", "look", "place"]
        keep = sorted(found, key=lambda one: order.index(one.kind))[:most]
        found = [one for one in found if one in keep]
    return tuple(found)


def _events(facts: Facts) -> Iterator[Support]:
    told: set[str] = set()
    for beat in facts.scene.beats:
        one = _best(facts, "event", beat)
        if one and one.text not in told:
            told.add(one.text)
            yield one


def _best(facts: Facts, kind: str, beat: Beat | None) -> Support | None:
    best: tuple[int, _Rule, tuple[str, ...]] | None = None
    for rule in _rules():
        if rule.kind != kind:
            continue
        stands_on = facts.holds(rule, beat)
        if stands_on and (best is None or rule.weight > best[0]):
            best = (rule.weight, rule, stands_on)
    if best is None:
        return None
    _, rule, stands_on = best
    said = (("shot_size", rule.shot), ("camera_movement", rule.move))
    values = tuple((name, value) for name, value in said if value)
    return Support(facts.filled(rule.text, beat), kind, stands_on, values)


class Facts:
    """What is known of a scene, in the words that rules ask for."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.nouns = {entity.noun for entity in scene.cast if entity.noun}
        said = " ".join(
            [
                *(entity.text for entity in scene.cast),
                *(beat.text for beat in scene.beats),
                *scene.details,
                *(
                    str(v)
                    for k, v in scene.values().items()
                    if k not in {"negative_prompt", "details"}
                ),
            ]
        )
        words = [word.lower() for word in tokens(said)]
        pairs = {f"{one}-{two}" for one, two in itertools.pairwise(words)}
        self.words = {*words, *(lemma(w, "NOUN") for w in words), *pairs}
        is_in = scene.setting and scene.setting.split()[0].lower() not in _ASIDE
        place = place_named(_head(scene.setting)) if is_in else None
        self.place = place.kind if place else ""

    def holds(self, rule: _Rule, beat: Beat | None) -> tuple[str, ...]:
        """Return what ``rule`` stands on in the scene; empty where it does not hold."""
        stands_on: list[str] = []
        for key, asked in rule.tests:
            found = self._holds(key, asked, beat)
            if not found:
                return ()
            stands_on += found
        return tuple(dict.fromkeys(stands_on))

    def _holds(self, key: str, asked: frozenset[str], beat: Beat | None) -> list[str]:
        if key.startswith("not_"):
            return [] if self._holds(key[4:], asked, beat) else [f"without:{key[4:]}"]
        key = key.removeprefix("also_")
        if key in _FIELDS:
            field = _FIELDS[key]
            return [field] if getattr(self.scene, field) in asked else []
        if key == "verbs":
            return [one.id for one in ([beat] if beat else self.scene.beats) if _does(one, asked)]
        if key == "actor":
            actor = self.scene.entity(beat.actor) if beat else None
            leads = [e for e in self.scene.cast if e.is_lead]
            one = actor or (None if beat else next(iter(leads), None))
            return [one.id] if one and one.kind in asked else []
        if key == "looks":
            return [
                e.id for e in self.scene.cast if e.is_lead and {k.text for k in e.looks} & asked
            ]
        if key == "species":
            actor = self.scene.entity(beat.actor) if beat else None
            return [actor.id] if actor and subject_kind(actor.noun) in asked else []
        if key == "target":
            return [e.id for e in self._targets(beat) if e.kind in asked]
        if key == "needs":
            return [e.id for e in self._targets(beat)][:1]
        if key == "nouns":
            return self._nouns(asked, beat)
        if key in {"by", "objects", "says", "object"}:
            return self._of_beat(key, asked, beat)
        if key == "place":
            return ["setting"] if self.place in asked else []
        return [f"words:{word}" for word in sorted(self.words & asked)][:1]

    def _nouns(self, asked: frozenset[str], beat: Beat | None) -> list[str]:
        if beat is None:
            return [e.id for e in self.scene.cast if e.noun in asked]
        own = [e for e in (self.scene.entity(beat.actor), *self._targets(beat)) if e]
        found = [e.id for e in own if e.noun in asked]
        said = {lemma(w.lower(), "NOUN") for w in tokens(beat.text)}
        return found or ([beat.id] if said & asked else [])

    def _of_beat(self, key: str, asked: frozenset[str], beat: Beat | None) -> list[str]:
        """Test who acts, what is acted on, or the words of what is done."""
        if key == "by":
            actor = self.scene.entity(beat.actor) if beat else None
            leads = [actor] if actor else [] if beat else [e for e in self.scene.cast if e.is_lead]
            return [e.id for e in leads if _own_nouns(e) & asked]
        if beat is None:
            return []
        after = _after_verb(beat.text)
        if key == "object":
            return [beat.id] if ("some" in asked) is _takes_object(after) else []
        said = {form for w in after for form in (w, lemma(w, "NOUN"))}
        if key == "objects":
            found = [e.id for e in self._targets(beat) if _own_nouns(e) & asked]
            return found or ([beat.id] if said & asked else [])
        said |= {w.lower() for w in tokens(beat.text)}
        return [beat.id] if said & asked else []

    def _targets(self, beat: Beat | None) -> list[Entity]:
        ids = beat.targets if beat else ()
        return [e for e in map(self.scene.entity, ids) if e is not None]

    def verb(self, beat: Beat) -> str:
        """Return the lemma of what is done in ``beat``."""
        return _verb_of(beat.text)

    def classes(self, beat: Beat) -> frozenset[str]:
        """Return the classes of verbs that ``beat`` belongs to."""
        return verb_classes(_verb_of(beat.text))

    def is_many(self, entity: Entity | None) -> bool:
        """Tell whether a verb after the entity's name takes the plural's form."""
        return entity is not None and _is_many(entity)

    def possessive(self, entity: Entity | None) -> str:
        """Return the entity's possessive pronoun."""
        return _possessive(entity)

    def filled(self, text: str, beat: Beat | None, other: str = "") -> str:
        """Return a rule's text with names, pronouns and agreement filled in."""
        actor = self.scene.entity(beat.actor) if beat else None
        actor = actor or next((e for e in self.scene.cast if e.is_lead), None)
        target = next(iter(self._targets(beat)), None)
        many = actor is not None and _is_many(actor)
        slots = {
            "a": name_of(actor) if actor else "it",
            "its": _possessive(actor),
            "t": name_of(target) if target else "it",
            "other": other,
            "place": _the(self.scene.setting),
        }
        many_targets = target is not None and _is_many(target)
        text = _AGREE.sub(lambda m: m[2] if many else m[1], text)
        text = _AGREE_T.sub(lambda m: m[2] if many_targets else m[1], text)
        filled = _SLOT.sub(lambda m: slots[m[1]].capitalize() if m[2] else slots[m[1]], text)
        return sentence_case(filled)


@lru_cache(maxsize=2_048)
def _verb_of(text: str) -> str:
    words = text.removeprefix("not ").removeprefix("being ").split()
    while len(words) > 1 and words[0] in {"trying", "starting", "beginning", "continuing", "keeping",
                                          "slowly", "suddenly", "quickly", "just"}:  # fmt: skip
        rest = words[1:] if words[1] != "to" else words[2:]
        if not rest or not verb_classes(rest[0]):
            break
        words = rest
    return lemma(words[0].lower(), "VERB") if words else ""


def _does(beat: Beat, asked: frozenset[str]) -> bool:
    if beat.text.startswith("not "):
        return False
    verb = _verb_of(beat.text)
    classes = {f"@{name}" for name in verb_classes(verb)}
    return (
        verb in asked
        or lemma(beat.text.split()[0].lower(), "VERB") in asked
        or bool(classes & asked)
    )


def _own_nouns(entity: Entity) -> set[str]:
    """Return the noun of an entity, and the last words of its name: "polar bear", "bear"."""
    words = entity.phrase.lower().split(" of ")[0].split()
    return {entity.noun, *(lemma(w, "NOUN") for w in words[-1:]), "-".join(words[-2:])}


def _after_verb(text: str) -> list[str]:
    """Return the words behind the verb of a beat."""
    words = [word.lower() for word in tokens(text)]
    verb = _verb_of(text)
    at = next((i for i, word in enumerate(words) if lemma(word, "VERB") == verb), 0)
    return words[at + 1 :]


def _acts_on(beat: Beat) -> bool:
    return _takes_object(_after_verb(beat.text))


def _takes_object(after: list[str]) -> bool:
    """Tell whether what follows the verb is what it acts on: "runs a bakery", not "runs away"."""
    if not after:
        return False
    first = after[0]
    aside = first in _LEADS_ON or first in word_list("prepositions") or first.endswith("ly")
    return not aside


def _head(phrase: str) -> str:
    first = re.split(r"\s+(?:of|with|in|on|at|from|where|that)\s+", phrase)[0]
    words = first.split()
    return words[-1].lower() if words else ""


def _is_many(entity: Entity) -> bool:
    if entity.count is not None:
        return entity.count > 1
    return is_plural(entity.phrase.split(" of ")[0].split()[-1]) if entity.phrase else False


def name_of(entity: Entity) -> str:
    """Return what an entity is called after its first mention: "the old dog", "the two chefs"."""
    first = entity.determiner.lower().split()[:1]
    if entity.noun in {"everyone", "everybody", "someone", "somebody"}:
        return "everyone" if entity.noun.startswith("every") else "the figure"
    if not entity.determiner and entity.phrase[:1].isupper() and entity.kind is EntityKind.OTHER:
        return entity.phrase
    phrase = re.split(r"\s+(?:of|with|in|on|from)\s+", entity.phrase)[0]
    phrase = " ".join(phrase.split()[-2:])
    if entity.count and 1 < entity.count < 5 and first and not first[0].isdigit():
        return f"the {first[0]} {phrase}" if first[0] not in {"the", "both"} else f"the {phrase}"
    return f"the {phrase}"


def _possessive(entity: Entity | None) -> str:
    if entity is None:
        return "its"
    if _is_many(entity):
        return "their"
    kind = subject_kind(entity.noun)
    return {"man": "his", "woman": "her"}.get(kind or "", "their" if kind == "person" else "its")


def _the(phrase: str) -> str:
    return re.sub(r"^(?:an?|the)\s+", "", phrase) and f"the {re.sub(r'^(?:an?|the) +', '', phrase)}"


def framing(scene: Scene) -> Support | None:
    """Return how the scene is framed and why; None where the user said it, or no reason is known."""
    said = scene.shot_size or scene.camera_angle or scene.camera_movement or scene.viewpoint
    if said:
        return None
    facts = Facts(scene)
    first = next((b for b in scene.beats if not b.text.startswith("not ")), None)
    if by_rule := _best(facts, "frame", first):
        return by_rule
    situation = _situation(facts)
    if situation is None:
        return None
    name, beat, other, evidence = situation
    entry: Mapping[str, Any] = next(e for e in load("evidence")["frame"] if e["when"] == name)
    text = facts.filled(entry["text"], beat, other)
    values = (("shot_size", entry["shot"]), ("camera_movement", entry["move"]))
    return Support(text, "frame", evidence, values)


def _situation(facts: Facts) -> tuple[str, Beat | None, str, tuple[str, ...]] | None:
    """Return which framing the scene gives a reason for, with beat, other name and evidence."""
    scene = facts.scene
    first = next((b for b in scene.beats if not b.text.startswith("not ")), None)
    lead = next((e for e in scene.cast if e.is_lead), None)
    if first is None or lead is None:
        if lead is None and scene.setting:
            return "place", None, "", ("setting",)
        if lead and lead.kind in {EntityKind.STRUCTURE, EntityKind.PHENOMENON}:
            return ("place", None, "", ("setting",)) if scene.setting else None
        if lead and lead.kind in _HANDLED:
            return "object", None, "", (lead.id,)
        is_shown = lead is not None and lead.kind in _LIVELY and bool(lead.determiner)
        return ("still", None, "", (lead.id,)) if is_shown and lead else None
    if first.actor != lead.id and first.actor:
        lead = scene.entity(first.actor) or lead
    if any(b.part for b in scene.beats) and _is_many(lead):
        return "parts", first, "", (lead.id,)
    classes = verb_classes(_verb_of(first.text))
    targets = [e for e in map(scene.entity, first.targets) if e]
    others = [
        e for b in scene.beats if b.actor not in {lead.id, ""} and (e := scene.entity(b.actor))
    ]
    return _situation_of(first, lead, classes, targets, others)


def _situation_of(
    first: Beat,
    lead: Entity,
    classes: frozenset[str],
    targets: list[Entity],
    others: list[Entity],
) -> tuple[str, Beat | None, str, tuple[str, ...]] | None:
    why = (lead.id, first.id)
    handled = [e for e in targets if e.kind in _HANDLED]
    if lead.kind is EntityKind.ROBOT and handled and "handle" in classes:
        return "robot", first, "", (*why, handled[0].id)
    if lead.kind is EntityKind.CROWD:
        return "crowd", first, "", why
    partner = next((e for e in (*targets, *others) if e.kind in _LIVELY and e.id != lead.id), None)
    if lead.kind in _LIVELY and partner and _verb_of(first.text) not in _CUTTING:
        return "two", first, name_of(partner), (*why, partner.id)
    if "handle" in classes and handled and lead.kind in {EntityKind.BODY_PART, EntityKind.PERSON}:
        return "hands", first, "", (*why, handled[0].id)
    if lead.kind is EntityKind.VEHICLE and "travel" in classes:
        return "vehicle", first, "", why
    if lead.kind in _LIVELY and _verb_of(first.text) in _GAITS and not _acts_on(first):
        return "travel", first, "", why
    if "face" in classes and lead.kind is EntityKind.PERSON and not others:
        return "face", first, "", why
    small = subject_kind(lead.noun) == "crawler" or lead.noun in {
        "cell",
        "drop",
        "droplet",
        "snowflake",
    }
    if small:
        return "small", first, "", why
    if _verb_of(first.text) in _MECHANICAL and lead.kind in _HANDLED:
        return "physics", first, "", why
    return ("still", first, "", why) if lead.kind in _LIVELY and "posture" in classes else None
