"""Facts of a scene, in the words that rules test for, and the names of its entities."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import is_plural, lemma, lemmas
from workbench.lexicon.nouns import head_of, place_in
from workbench.lexicon.tagging import verb_classes
from workbench.lexicon.terms import capitalized, subject_kind, word_list
from workbench.lexicon.words import sentence_case, tokens
from workbench.prompts.composer.rules import BY_WORD, Rule
from workbench.prompts.reading.phrases import kind_of
from workbench.scene import Aspect, Beat, Entity, EntityKind, Scene

__all__ = [
    "LIVELY",
    "Facts",
    "Focus",
    "facts_of",
    "is_made",
    "is_many",
    "kind_seen",
    "name_of",
    "possessive",
    "small",
    "verb_of",
]

LIVELY: Final = frozenset(
    {EntityKind.PERSON, EntityKind.ANIMAL, EntityKind.ROBOT, EntityKind.CROWD}
)
_FIELDS: Final = {
    "weather": "weather", "time": "time_of_day", "light": "lighting", "view": "viewpoint",
    "style": "style", "pace": "pace", "lens": "lens", "mood": "mood",
}  # fmt: skip
_OF_THE_SCENE: Final = frozenset({*_FIELDS, "words", "place", "sky", "at", "part", "beats", "cast"})
"""Keys whose words are the same whatever the focus."""
_AGREE: Final = re.compile(r"\[([^|\]]+)\|([^\]]+)\]")
_AGREE_T: Final = re.compile(r"<([^|>]+)\|([^>]+)>")
_SLOT: Final = re.compile(r"\{([\w']+)(:cap)?\}")
_ASIDE: Final = frozenset({"outside", "behind", "near", "beside", "above", "below", "under", "past",
                           "opposite", "over", "beneath", "by"})  # fmt: skip
_NOT_NAMED: Final = frozenset({"time-lapse", "slow-motion", "macro"})
"""Words before a noun that say how it is filmed, not what it is."""
_FEW: Final = frozenset({"two", "three", "four"})
_PAIR_FIT: Final = 6
"""Bonus for a rule that tests for a pair of words: "locker room" against "room"."""
_PHRASE_END: Final = re.compile(r"\s+(?:of|with|in|on|at|from|where|that|who)\s+")


@dataclass(frozen=True, slots=True)
class Focus:
    """What a rule is tested against: one beat, one entity, or the scene as a whole."""

    beat: Beat | None = None
    entity: Entity | None = None


class Facts:
    """The facts of a scene by key: the words that hold, each with its evidence."""

    def __init__(self, scene: Scene, *, with_attempts: bool = False) -> None:
        self.scene = scene
        self._with_attempts = with_attempts
        self.leads = tuple(e for e in scene.cast if e.is_lead)
        barred = tokens(scene.negative_prompt.lower())
        self._barred = {lemma(word, "NOUN") for word in barred} - word_list("prepositions")
        self._known: dict[tuple[str, str, str], Mapping[str, str]] = {}
        is_in = bool(scene.setting) and scene.setting.split()[0].lower() not in _ASIDE
        self.place = place_in(scene.setting) if is_in else None

    @property
    def words(self) -> Mapping[str, str]:
        """Every word of the text, and every pair of neighbouring words."""
        return self.known("words", Focus())

    def is_barred(self, text: str) -> bool:
        """Tell whether ``text`` mentions something that must not be seen."""
        return bool(self._barred) and any(
            form in self._barred
            for word in tokens(text.lower())
            for form in (word, lemma(word, "NOUN"))
        )

    def by_word(self, focus: Focus) -> Mapping[str, Mapping[str, str]]:
        """Return the facts under each key that rules are indexed by."""
        return {key: self.known(key, focus) for key in BY_WORD}

    def holds(self, rule: Rule, focus: Focus) -> tuple[int, tuple[str, ...]]:
        """Return how well ``rule`` fits and its evidence; ``(0, ())`` if it does not hold."""
        stands_on: list[str] = []
        fit = 0
        for key, asked in rule.tests:
            if key.startswith("not_"):
                if asked & self.known(key[4:], focus).keys():
                    return 0, ()
                stands_on.append(f"without:{key[4:]}")
                continue
            known = self.known(key, focus)
            if not (found := asked & known.keys()):
                return 0, ()
            word = max(found, key=lambda one: ("-" in one, one))
            fit += _PAIR_FIT * (key in BY_WORD and "-" in word)
            stands_on.append(known[word])
        return fit + rule.weight, tuple(dict.fromkeys(stands_on))

    def known(self, key: str, focus: Focus) -> Mapping[str, str]:
        """Return the words that hold under ``key``, each with its evidence."""
        beat, entity = (None, None) if key in _OF_THE_SCENE else (focus.beat, focus.entity)
        name = (key, beat.id if beat else "", entity.id if entity else "")
        if name not in self._known:
            self._known[name] = dict(self._find(key, focus))
        return self._known[name]

    def _find(self, key: str, focus: Focus) -> Iterator[tuple[str, str]]:
        beat = focus.beat
        if key in _FIELDS:
            value = str(getattr(self.scene, _FIELDS[key])).replace(" ", "-")
            yield from [(value, _FIELDS[key]), ("any", _FIELDS[key])] if value else []
        elif key == "words":
            yield from self._words()
        elif key == "place":
            yield from [(self.place.kind, "setting"), ("any", "setting")] if self.place else []
        elif key == "sky":
            yield from [(self.place.sky, "setting")] if self.place else []
        elif key == "at":
            said = tokens(self.scene.setting.lower())
            said = [] if said[:1] and said[0] in _ASIDE else said
            yield from ((word, "setting") for word in _with_pairs(said))
            for one in self.scene.beats:
                yield from ((word, one.id) for word in _with_pairs(_where(one.text)))
        elif key == "verbs":
            for one in [beat] if beat else self.scene.beats:
                yield from ((word, one.id) for word in self._verbs(one))
        elif key in {"objects", "says", "object"}:
            yield from self._of_beat(key, beat) if beat else ()
        else:
            yield from self._of_entities(key, focus)

    def _verbs(self, beat: Beat) -> Iterator[str]:
        if beat.text.startswith("not ") or not beat.text:
            return
        if _ATTEMPTED.search(beat.text) and not self._with_attempts:
            return
        verb = verb_of(beat.text)
        yield verb
        yield lemma(beat.text.split()[0].lower(), "VERB")
        yield from (f"@{name}" for name in verb_classes(verb))

    def _words(self) -> Iterator[tuple[str, str]]:
        said = [e.text for e in self.scene.cast] + [b.text for b in self.scene.beats]
        values = {k: v for k, v in self.scene.values().items() if isinstance(v, str)}
        values.pop("negative_prompt", None)
        for part in [*said, *self.scene.details, *values.values()]:
            yield from ((word, f"words:{word}") for word in _with_pairs(tokens(part.lower())))

    def _of_beat(self, key: str, beat: Beat) -> Iterator[tuple[str, str]]:
        after = _after_verb(beat.text)
        if key == "object":
            yield ("some" if _takes_object(after) else "none"), beat.id
            return
        if key == "objects":
            for entity in self.targets(beat):
                yield from ((word, entity.id) for word in _own_nouns(entity))
        said = after if key == "objects" else tokens(beat.text.lower())
        yield from ((word, beat.id) for word in _with_pairs(said))

    def _of_entities(self, key: str, focus: Focus) -> Iterator[tuple[str, str]]:
        beat = focus.beat
        actors = [one] if (one := self.actor(focus)) else []
        if not beat and not focus.entity:
            actors = list(self.leads)
        actors = [one for one in actors if not self._is_behind_camera(one)]
        match key:
            case "actor":
                yield from ((str(kind_seen(e)), e.id) for e in actors)
                yield from [("unknown", beat.id)] if beat and not actors else []
            case "species":
                alive = [e for e in actors if not is_made(e)]
                yield from (
                    (kind, e.id) for e in alive if (kind := subject_kind(_is_said(e) or e.noun))
                )
            case "by":
                yield from ((word, e.id) for e in actors for word in _own_nouns(e))
            case "looks":
                for e in actors:
                    said = [word for look in e.looks for word in tokens(look.text.lower())]
                    yield from ((word, e.id) for word in _with_pairs(said))
            case "count":
                groups = word_list("quantity")
                yield from (
                    ("many" if _is_many(e) or e.noun in groups else "one", e.id) for e in actors[:1]
                )
            case "part":
                yield from (("some", b.id) for b in self.scene.beats if b.part)
            case "target":
                for e in self.targets(beat):
                    yield from ((str(e.kind), e.id), ("any", e.id))
            case "beats":
                yield from (
                    [("some", "with:beats")] if self.scene.beats else [("none", "without:beats")]
                )
            case "cast":
                yield from (
                    [("some", "with:cast")] if self.scene.cast else [("none", "without:cast")]
                )
            case "partner":
                if partner := self.partner(focus):
                    yield str(partner.kind), partner.id
            case "answer":
                later = self.scene.beats[1:]
                partner = self.partner(focus)
                yield from (("some", b.id) for b in later if partner and b.actor == partner.id)
            case "nouns":
                own = [*actors, *self.targets(beat)] if beat else self.scene.cast
                yield from ((word, e.id) for e in own for word in _own_nouns(e))
                if beat:
                    yield from ((word, beat.id) for word in _with_pairs(tokens(beat.text.lower())))
            case _:
                raise KeyError(f"Rules ask for {key!r}, which is not known of a scene.")

    def actor(self, focus: Focus) -> Entity | None:
        """Return the actor of the beat, or the entity in focus."""
        if focus.beat:
            return self.scene.entity(focus.beat.actor)
        return focus.entity

    def _is_behind_camera(self, entity: Entity) -> bool:
        """Tell whether the camera looks out of ``entity``, so that its outside is hidden."""
        if entity.noun in {"pov", "fpv"}:
            return True
        return (
            entity.is_lead
            and entity.kind is EntityKind.VEHICLE
            and bool(english("from_inside") & self.words.keys())
        )

    def targets(self, beat: Beat | None) -> list[Entity]:
        """Return the targets of a beat, by default of the first."""
        beat = beat or next(iter(self.scene.beats), None)
        ids = beat.targets if beat else ()
        return [e for e in map(self.scene.entity, ids) if e is not None]

    def partner(self, focus: Focus) -> Entity | None:
        """Return the other character who acts or is acted on, if any."""
        own = self.actor(focus) or next(iter(self.leads), None)
        acting = [e for b in self.scene.beats if (e := self.scene.entity(b.actor))]
        others = [*self.targets(focus.beat), *acting, *self.scene.cast]
        again = " ".join(self.scene.details)
        return next(
            (e for e in others if own and e is not own and _is_partner(e)
             and (e.kind is not own.kind or e.phrase not in again)), None,
        )  # fmt: skip

    def filled(self, text: str, focus: Focus) -> str:
        """Return a rule's text with names, pronouns and verb agreement filled in."""
        actor = self.actor(focus) or next(iter(self.leads), None)
        target = next(iter(self.targets(focus.beat)), None)
        partner = self.partner(focus)
        name = name_of(actor) if actor else "it"
        is_part = bool(focus.beat and focus.beat.part) and is_many(actor)
        if is_part and focus.beat:
            name = f"one of {name}" if "other" not in focus.beat.part else "the other one"
        slots = {
            "a": name,
            "all": name_of(actor) if actor else "it",
            "a's": "its" if actor is None else owned(name if is_part else _each(actor)),
            "its": "their" if is_part else possessive(actor),
            "t": name_of(target) if target else "it",
            "t's": owned(name_of(target)) if target else "its",
            "other": name_of(partner) if partner else "the other",
            "place": _the(self.scene.setting),
        }
        text = _AGREE.sub(lambda m: m[2] if is_many(actor) and not is_part else m[1], text)
        text = _AGREE_T.sub(lambda m: m[2] if is_many(target) else m[1], text)
        text = _SLOT.sub(lambda m: sentence_case(slots[m[1]]) if m[2] else slots[m[1]], text)
        return sentence_case(text)


@lru_cache(maxsize=128)
def facts_of(scene: Scene, *, with_attempts: bool = False) -> Facts:
    """Return the facts of ``scene``, which are read once for all that ask about them."""
    return Facts(scene, with_attempts=with_attempts)


_ATTEMPTED: Final = re.compile(
    r"^(?:try|trying|attempt|attempting|learn|learning|want|wanting|fail|failing|refus\w+)\s+to\s",
    re.IGNORECASE,
)
"""Phrases for what is only tried or wanted, and so not shown."""

# Verbs ------------------------------------------------------------------------------------------


@lru_cache(maxsize=2_048)
def verb_of(text: str) -> str:
    """Return the lemma of a beat's main verb: "trying to fold a shirt" → "fold"."""
    words = text.removeprefix("not ").removeprefix("being ").split()
    while len(words) > 1 and words[0] in english("before_the_verb"):
        rest = words[1:] if words[1] != "to" else words[2:]
        if not rest or not verb_classes(rest[0]):
            break
        words = rest
    return lemma(words[0].lower(), "VERB") if words else ""


def _after_verb(text: str) -> list[str]:
    """Return the words after the verb of a beat."""
    words = tokens(text.lower())
    verb = verb_of(text)
    at = next((i for i, word in enumerate(words) if lemma(word, "VERB") == verb), 0)
    return words[at + 1 :]


def _where(text: str) -> list[str]:
    """Return the words of a beat from its first preposition of place."""
    words = tokens(text.lower())
    at = next((i for i, word in enumerate(words) if word in english("placing")), len(words))
    return words[at + 1 :]


def _takes_object(after: list[str]) -> bool:
    """Tell whether an object follows the verb: "runs a bakery", not "runs away"."""
    if not after:
        return False
    first = after[0]
    return not (
        first in english("no_object_begins_with")
        or first in word_list("prepositions")
        or first.endswith("ly")
    )


# Names ------------------------------------------------------------------------------------------


def name_of(entity: Entity) -> str:
    """Return the name of an entity after its first mention: "the old dog", "the two chefs"."""
    first = entity.determiner.lower().split()[:1]
    if entity.noun in {"everyone", "everybody", "someone", "somebody"}:
        return "everyone" if entity.noun.startswith("every") else "the figure"
    if not entity.determiner and entity.phrase[:1].isupper() and entity.kind is EntityKind.OTHER:
        return entity.phrase
    words = [
        w for w in _PHRASE_END.split(entity.phrase)[0].split()[-2:] if w.lower() not in _NOT_NAMED
    ]
    phrase = " ".join(map(small, words if words[:1] and not _is_doing(words) else words[1:]))
    if entity.count and 1 < entity.count < 5 and first and not first[0].isdigit():
        return f"the {first[0]} {phrase}" if first[0] not in {"the", "both"} else f"the {phrase}"
    return f"the {phrase}"


def _is_doing(words: Sequence[str]) -> bool:
    """Tell whether a name begins with an action: "chopping onions"."""
    return (
        len(words) > 1 and words[0].endswith("ing") and "handle" in verb_classes(words[0].lower())
    )


def _each(entity: Entity) -> str:
    """Return the name of each member: "each wrestler"; "the wrestler" where there is one."""
    *words, last = name_of(entity).split()
    if not _is_many(entity) or words[:1] != ["the"] or not is_plural(last):
        return " ".join([*words, last])
    rest = [word for word in words[1:] if word not in _FEW]
    return " ".join(["each", *rest, lemma(last, "NOUN")])


def small(word: str) -> str:
    """Return a common noun from the start of a text without its capital."""
    is_common = word[:1].isupper() and word[1:].islower() and bool(lemmas(word.lower()))
    return word.lower() if is_common and capitalized(word.lower()) != word else word


def _is_partner(entity: Entity) -> bool:
    return entity.kind in LIVELY and subject_kind(entity.noun) != "crawler"


def owned(name: str) -> str:
    """Return the possessive of a name."""
    return (
        f"{name}'" if name.endswith("s") and is_plural(name.rsplit(maxsplit=1)[-1]) else f"{name}'s"
    )


def possessive(entity: Entity | None) -> str:
    """Return the entity's possessive pronoun."""
    if entity is None:
        return "its"
    if _is_many(entity):
        return "their"
    kind = subject_kind(entity.noun)
    return {"man": "his", "woman": "her"}.get(kind or "", "their" if kind == "person" else "its")


def _own_nouns(entity: Entity) -> set[str]:
    """Return the nouns of an entity, in one word and in two: "bear", "polar-bear".

    A thing made in the shape of another is not that: a robot dog is no dog. A stated identity
    counts too: "the keeper is a goat".
    """
    words = _words_of(entity)
    last = words[-1] if words else ""
    names = {entity.noun.lower(), last, lemma(last, "NOUN")}
    pairs = {f"{one}-{name}" for one in words[-2:-1] for name in names}
    if is_made(entity):
        return pairs
    said = _is_said(entity)
    return {said} if said else names | pairs


def _is_said(entity: Entity) -> str:
    """Return the noun of an entity's stated identity: "the keeper is a goat"; empty for none."""
    for look in entity.looks:
        said = tokens(look.text.lower())
        if look.aspect is Aspect.STATE and said[:1] in (["a"], ["an"]) and subject_kind(said[-1]):
            return said[-1]
    return ""


def kind_seen(entity: Entity) -> EntityKind:
    """Return the visible kind of an entity: its stated identity; a toy car is an object."""
    if said := _is_said(entity):
        return kind_of(said)
    is_toy = entity.kind is EntityKind.VEHICLE and is_made(entity)
    return EntityKind.OBJECT if is_toy else entity.kind


def is_made(entity: Entity) -> bool:
    """Tell whether the name is of a thing made in the shape of another: "robot dog"."""
    words = _words_of(entity)
    return len(words) > 1 and words[-2] in english("shaped_of")


def _words_of(entity: Entity) -> list[str]:
    before = [look.text for look in entity.looks if look.place == "before"]
    return " ".join([*before, entity.phrase.split(" of ")[0]]).lower().split()


def _is_many(entity: Entity) -> bool:
    if entity.count is not None:
        return entity.count > 1
    return is_plural(head_of(entity.phrase.split(" of ")[0]))


def is_many(entity: Entity | None) -> bool:
    """Tell whether a verb after the entity's name is plural."""
    return entity is not None and _is_many(entity)


def _with_pairs(words: Iterable[str]) -> Iterator[str]:
    said = list(words)
    for word in said:
        yield word
        yield lemma(word, "NOUN")
    for one, two in itertools.pairwise(said):
        yield f"{one}-{two}"
        yield f"{one}-{lemma(two, 'NOUN')}"


def _the(phrase: str) -> str:
    bare = re.sub(r"^(?:an?|the|one|my|his|her|their|its|our)\s+", "", phrase, flags=re.IGNORECASE)
    return bare and (bare if bare[:1].isupper() else f"the {bare}")
