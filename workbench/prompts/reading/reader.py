"""Reads a text into a scene: entities, beats, place, time, weather, light, style, camera."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Final

from workbench.lexicon.datafiles import english, load
from workbench.lexicon.morphology import inflect, is_adjective, is_plural, lemma
from workbench.lexicon.spelling import mended
from workbench.lexicon.tagging import Token, tagged, verb_classes
from workbench.lexicon.terms import (
    Place,
    Term,
    capitalized,
    find_terms,
    place_named,
    subject_kind,
    word_list,
)
from workbench.lexicon.words import article
from workbench.prompts.reading.clauses import Clause, Form, clauses_in, phrases_in
from workbench.prompts.reading.foreign import foreign_reading
from workbench.prompts.reading.phrases import NounPhrase, kind_of, takes_article
from workbench.prompts.reading.reading import Reading, Said
from workbench.scene import (
    Aspect,
    Beat,
    Entity,
    EntityKind,
    Look,
    Origin,
    Scene,
    When,
    canonical_term,
    vocabulary,
)

__all__ = ["clean", "progressive", "read"]

_PLAIN: Final = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "…": "..."})
_SCREENPLAY: Final = re.compile(
    r"^(?:INT|EXT|INT\.?/EXT)\.?\s+(?P<place>[A-Z][A-Z' ]+?)\s*[-–—]+\s*(?P<when>[A-Z]+)[.:\s]+(?=\S)"
)
_NOBODY: Final = frozenset({"nobody", "no one", "none", "nothing"})
_LIVELY: Final = frozenset(
    {EntityKind.PERSON, EntityKind.ANIMAL, EntityKind.ROBOT, EntityKind.CROWD, EntityKind.VEHICLE}
)
_NAMES: Final = frozenset({"style", "pace", "viewpoint", "shot_size", "lens", "color_palette"})
_ASIDE: Final = frozenset({"outside", "behind", "near", "beside", "above", "below", "under", "beneath",
                           "opposite"})  # fmt: skip
_PARTS: Final = frozenset({"one", "the other", "the other one", "the second", "another", "each",
                           "the first", "one of them", "the second one", "the first one"})  # fmt: skip
_DENIES: Final = frozenset({"no", "not", "without", "never"})
_OVER: Final = re.compile(
    r"\b(?:after|before|since|until|from) (?:the |a |an )?(?:heavy |last |first )?\Z", re.IGNORECASE
)
"""Precedes weather that is over or yet to come: "after the rain"."""
_CHOSEN: Final = frozenset({"pace", "style", "lens", "camera_movement", "shot_size"})
"""Fields whose terms do not count after a negation: "no slow motion"."""
_LIKELY: Final = 0.2
"""Minimum confidence of a clause; below it the words are kept and reported as unread."""
_SHOUTED: Final = 3
"""An all-caps text with more words than this is lower-cased first."""


@cache
def _pattern(name: str) -> re.Pattern[str]:
    """Return the compiled pattern ``name`` of ``slips.toml``."""
    return re.compile(load("slips")["patterns"][name], re.IGNORECASE)


def clean(text: str) -> str:
    """Return ``text`` with uniform quotes and spaces and without unprintable characters."""
    flat = unicodedata.normalize("NFC", text).translate(_PLAIN)
    flat = "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else " " for c in flat)
    return re.sub(r"\s+", " ", flat).strip(" ,;")


@lru_cache(maxsize=256)
def read(text: str) -> Reading:
    """Return the reading of ``text``. Never raises: words not understood are kept and reported."""
    flat = _SCREENPLAY.sub(_heading, clean(text))
    if flat.isupper() and len(flat.split()) > _SHOUTED:
        flat = " ".join(capitalized(word) for word in flat.lower().split())
    wanted = _pattern("instruction").sub("", flat)
    if wanted != flat:
        wanted = _pattern("frame").sub("", wanted) or wanted
    if foreign := foreign_reading(wanted):
        return foreign
    wanted = _without_settings(wanted)
    plain, slips = mended(wanted)
    return _Reader(plain, slips).reading()


def _without_settings(text: str) -> str:
    """Return ``text`` without the parts that describe no content: "10 sec, a swan, for class"."""
    parts = re.split(r"([,;]\s*|[.!?]\s+)", text)
    kept = [
        (part, mark)
        for part, mark in zip(parts[::2], [*parts[1::2], ""], strict=True)
        if not _pattern("setting").fullmatch(part.strip(" ."))
    ]
    if not kept or len(kept) == len(parts[::2]):
        return text
    return "".join(part + mark for part, mark in kept).strip(" ,;")


def _heading(match: re.Match[str]) -> str:
    when = match["when"].lower()
    return f"{match['place'].lower()}, {'daytime' if when == 'day' else when}: "


class _Reader:
    """Collects entities, beats and fields from the clauses of one text."""

    def __init__(self, text: str, slips: tuple[tuple[str, str], ...]) -> None:
        self._text = text
        self._slips = slips
        self._tokens = tagged(text)
        found = [t for t in find_terms(text) if not self._is_noise(t)]
        self._terms = tuple(sorted({*found, *_whole_segments(text, found)}, key=_place_of_term))
        self._tokens = self._with_terms_as_nouns()
        self._clauses = clauses_in(self._tokens, self._terms)
        self._values: dict[str, str] = {}
        self._details: list[str] = []
        self._negatives: list[str] = []
        self._moves: list[str] = []
        self._written: list[str] = []
        self._cast: list[Entity] = []
        self._beats: list[Beat] = []
        self._said: list[Said] = []
        self._unread: list[str] = []
        self._actors: list[tuple[str, ...]] = []
        self._on_camera = False
        self._surfaces: list[str] = []

    def reading(self) -> Reading:
        """Return the reading of the text."""
        for term in self._terms:
            self._note_term(term)
        for number, clause in enumerate(self._clauses):
            self._actors.append(())
            self._read_clause(number, clause)
        self._note_quotations()
        self._note_leads()
        return Reading(
            text=self._text,
            scene=self._scene(),
            said=tuple(sorted(self._said, key=lambda one: (one.start, one.end))),
            tokens=self._tokens,
            clauses=self._clauses,
            terms=self._terms,
            actors=tuple(self._actors),
            unread=tuple(dict.fromkeys(self._unread)),
            slips=self._slips,
        )

    def _scene(self) -> Scene:
        if self._surfaces and "setting" not in self._values:
            self._values["setting"] = self._surfaces[0]
        if len(self._moves) > 1 or (self._moves and "camera_movement" not in self._values):
            self._values["camera_movement"] = ", then ".join(self._moves)
        values: dict[str, object] = {
            **self._values,
            "cast": tuple(self._cast),
            "beats": tuple(self._beats),
            "details": tuple(dict.fromkeys(self._details)),
            "negative_prompt": ", ".join(self._negatives),
            "on_screen_text": "; ".join(self._written),
        }
        return Scene.empty().edit({k: v for k, v in values.items() if v}, origin=Origin.SAID)

    # Terms ------------------------------------------------------------------------------------

    def _is_noise(self, term: Term) -> bool:
        """Tell whether a term is not meant here: it is part of a noun phrase, or negated.

        "a pencil case" is not a style, "no slow motion" not a pace.
        """
        words = [t for t in self._tokens if term.start <= t.start and t.end <= term.end]
        after = next((t for t in self._tokens if t.start >= term.end), None)
        before = next((t for t in reversed(self._tokens) if t.end <= term.start), None)
        if before and before.low in _DENIES and term.field in _CHOSEN:
            return True
        is_act = after is not None and after.low == "up"  # "her glasses fog up"
        if term.field == "weather" and (is_act or _OVER.search(self._text[: term.start])):
            return True
        if (
            not words
            or after is None
            or term.field in {"time_of_day", "viewpoint", "camera_movement"}
        ):
            return False
        return words[-1].tag in "NA" and after.tag == "N" and term.field in {
            "mood", "color_palette", "pace", "lighting",
        } and len(words) == 1 and after.low not in word_list("lead_nouns")  # fmt: skip

    def _with_terms_as_nouns(self) -> tuple[Token, ...]:
        """Return the tokens with each multi-word term tagged as a noun phrase."""
        tokens = list(self._tokens)
        for term in self._terms:
            own = [i for i, t in enumerate(tokens) if term.start <= t.start and t.end <= term.end]
            if term.field not in _NAMES or len(own) < 2 or any(tokens[i].tag in "IDX" for i in own):
                continue
            following = tokens[own[-1] + 1].tag if own[-1] + 1 < len(tokens) else "."
            for i in own:
                is_last = i == own[-1] and following not in "NA"
                tokens[i] = replace(tokens[i], tag="N" if is_last else "A")
        return tuple(tokens)

    def _note_term(self, term: Term) -> None:
        if term.field == "camera_movement" and self._moves[-1:] != [term.term]:
            self._moves.append(term.term)
        if term.field == "viewpoint" and self._values.get("viewpoint"):
            return
        words = self._text[term.start : term.end].lower()
        if term.term in {"microscope", "dashcam", "security camera"} and term.term not in words:
            self._details.append(words)
        held = self._values.get(term.field)
        specific = term.field == "time_of_day" and term.term in {
            "midnight",
            "blue hour",
            "golden hour",
        }
        if not held or specific:
            self._values[term.field] = term.term
        self._said.append(Said(term.start, term.end, term.field, term.term))

    # Clauses ----------------------------------------------------------------------------------

    def _read_clause(self, number: int, clause: Clause) -> None:
        match clause.form:
            case Form.MODIFIER:
                return
            case Form.NEGATIVE:
                self._note_negative(clause)
            case Form.FINITE | Form.ING:
                self._note_event(number, clause)
            case Form.STATE:
                self._note_state(number, clause)
            case Form.PHRASE:
                self._note_phrase(number, clause)
            case Form.PLACE:
                self._note_place(clause.first, clause.last)
            case _:
                self._note_other(clause)

    def _note_negative(self, clause: Clause) -> None:
        words = self._tokens[clause.first : clause.last]
        if len(words) == 1 and words[0].low == "no":
            return
        text = self._between(clause.first + 1, clause.last) if len(words) > 1 else "people"
        text = re.sub(
            r"\s+(?:visible|in sight|around|anywhere|at all|in view|in frame)\Z", "", text
        )
        self._negatives.append("people" if words[0].low == "nobody" else text)
        self._say(clause.first, clause.last, "negative_prompt", text)

    def _note_event(self, number: int, clause: Clause) -> None:
        tokens = self._tokens
        verb = clause.predicate
        camera = bool(clause.subjects) and tokens[clause.subjects[0].head].low in english(
            "camera_nouns"
        )
        if clause.subjects and self._is_viewpoint(clause.subjects[0]):
            camera = True
        if camera or (self._on_camera and not clause.subjects):
            self._note_camera(clause)
            return
        self._on_camera = False
        if clause.sureness < _LIKELY:
            self._keep(clause)
            return
        actors, part = self._actors_of(number, clause)
        self._actors[number] = actors
        last = clause.last
        for phrase in phrases_in(
            tokens, clause.lead, clause.subjects[0].first if clause.subjects else verb
        ):
            self._note_setting(phrase, self._preposition_before(phrase.first))
        if clause.subjects and clause.form is Form.FINITE:
            for one, following in itertools.pairwise(clause.subjects):
                own = tuple(e.id for e in self._cast if e.noun == one.noun)
                self._note_between(one.last, following.first - 1, own)
            own = tuple(e.id for e in self._cast if e.noun == clause.subjects[-1].noun)
            self._note_between(clause.subjects[-1].last, verb, own or actors)
        targets = self._targets(verb + 1, last, actors)
        if actors and (participle := self._participle(verb, last)) is not None:
            self._look(actors[0], participle, last)
            return
        text = self._doing(verb, last)
        if not text:
            return
        if clause.subjects and clause.subjects[0].noun in _NOBODY and not text.startswith("not "):
            text = f"not {text}"
        beat = Beat(
            f"b{len(self._beats) + 1}",
            text,
            actors[0] if actors else "",
            targets,
            clause.when if self._beats else When.TOGETHER,
            part,
        )
        if self._beats and beat.when is When.TOGETHER and self._follows(clause, beat):
            beat = replace(beat, when=When.THEN)
        self._beats.append(beat)
        self._say(verb, last, "beats", text, beat=beat.id, sureness=clause.sureness)

    def _participle(self, verb: int, last: int) -> int | None:
        """Return the index of a participle that describes a state: "is made of wool"."""
        for at in range(verb, min(last, verb + 4)):
            if self._tokens[at].tag == "P":
                return (
                    at
                    if lemma(self._tokens[at].low, "VERB") in english("state_participles")
                    else None
                )
            if self._tokens[at].tag not in "XRE":
                return None
        return None

    def _follows(self, clause: Clause, beat: Beat) -> bool:
        """Tell whether a finite clause happens after the one before: "hits the bag, stops"."""
        is_next = clause.form is Form.FINITE and clause.stop in {",", ".", ";", ""}
        same = self._beats[-1].actor == beat.actor and self._beats[-1].part == beat.part
        return is_next and (same or clause.stop == ",") and clause.joint != "as"

    def _note_camera(self, clause: Clause) -> None:
        self._on_camera = True
        start, end = self._tokens[clause.first].start, self._tokens[clause.last - 1].end
        known = [t for t in self._terms if t.field == "camera_movement" and start <= t.start < end]
        self._targets(clause.predicate + 1, clause.last, ())
        if known or clause.joint[:2].lower() in {"so", "un", "wh", "as"}:
            return
        text = self._doing(clause.predicate, clause.last)
        verb = self._tokens[clause.predicate]
        move = load("moves").get(lemma(verb.low, "VERB"), text)
        words = set(text.split())
        if move == "dolly" or words & {"closer"} or (move == "tracking shot" and "in" in words):
            move = "dolly out" if words & {"back", "backwards"} else "dolly in"
        if not self._moves or move not in {"static", *self._moves}:
            self._moves.append(move)
            self._say(clause.predicate, clause.last, "camera_movement", move)

    def _note_state(self, number: int, clause: Clause) -> None:
        actors, _ = self._actors_of(number, clause)
        self._actors[number] = actors
        text = self._between(clause.predicate + 1, clause.last)
        if not actors or not text:
            self._keep(clause)
            return
        at = next(i for i, e in enumerate(self._cast) if e.id == actors[0])
        look = Look(Aspect.STATE, text, "after")
        self._cast[at] = replace(self._cast[at], looks=(*self._cast[at].looks, look))
        self._say(clause.first, clause.last, "cast", text, entity=actors[0])

    def _note_phrase(self, number: int, clause: Clause) -> None:
        """Note a clause without a predicate: a place, a style or entities."""
        phrase = clause.subjects[0]
        head = self._tokens[phrase.head]
        place = self._place_of(phrase)
        text = self._between(phrase.first, phrase.last)
        if place and place.kind in {"surface", "perch"}:
            place = None
        if (
            head.low == "scene"
            and phrase.head > phrase.core
            and place_named(self._tokens[phrase.head - 1].low)
        ):
            named = self._between(phrase.first, phrase.head)
            named = named if phrase.determiner else f"{article(named)} {named}"
            self._set("setting", named, phrase.first, phrase.last)
            return
        if (
            place
            and phrase.kind not in {EntityKind.VEHICLE, EntityKind.OBJECT}
            and not self._values.get("setting")
        ):
            self._set("setting", self._place_name(phrase), phrase.first, phrase.last)
            if not number and subject_kind(head.low) in {"scenery", "building"}:
                self._actors[number] = (self._entity(phrase).id,)
            self._note_between(phrase.last, clause.last, self._actors[number])
            return
        is_game = head.low == "game" and _pattern("game").search(text)
        is_lead = head.low in word_list("lead_nouns") or head.low in {"ad", "commercial", "advert"}
        if is_lead or is_game:
            self._values.setdefault("style", text)
            self._say(phrase.first, phrase.last, "style", text)
            self._note_between(phrase.last, clause.last, ())
            return
        ids = tuple(self._entity(p).id for p in clause.subjects if not p.is_pronoun)
        self._actors[number] = ids
        self._note_between(clause.subjects[-1].last, clause.last, ids)
        if self._beats or number:
            self._details.append(self._between(clause.first, clause.last))

    def _note_between(self, first: int, last: int, owners: tuple[str, ...]) -> None:
        """Note the modifiers of a noun phrase: place, clothing, position, relative clause."""
        if first >= last:
            return
        at = first
        rest = self._between(first, last)
        if owners and (match := _pattern("placed").match(rest)):
            self._change(owners[0], position=match[0])
            return
        while at < last:
            low = self._tokens[at].low
            if self._tokens[at].tag == "W" and owners:
                self._note_relative(at, last, owners)
                return
            if self._tokens[at].tag in "GP" and owners and low not in {"seen", "shot"}:
                self._look(owners[0], at, last)
                return
            phrase = next(iter(phrases_in(self._tokens, at + 1, last)), None)
            if self._tokens[at].tag == "I" and phrase is not None and phrase.first <= at + 2:
                if low in {"between", "versus", "vs"}:
                    for one in phrases_in(self._tokens, at + 1, last):
                        self._entity(one)
                    return
                is_worn = low in {"in", "with"} and not self._note_setting(phrase, low)
                if is_worn and owners:
                    self._look(owners[0], at, phrase.last)
                    if low == "with":
                        self._entity(phrase)
                elif not is_worn or low not in {"in", "with"}:
                    self._note_setting(phrase, low)
                at = phrase.last
                continue
            at += 1

    def _note_relative(self, at: int, last: int, owners: tuple[str, ...]) -> None:
        verb = next((i for i in range(at + 1, last) if self._tokens[i].tag in "VXG"), None)
        if verb is None:
            return
        if text := self._doing(verb, last):
            targets = self._targets(verb + 1, last, owners)
            beat = Beat(f"b{len(self._beats) + 1}", text, owners[0], targets)
            self._beats.append(beat)
            self._say(verb, last, "beats", text, beat=beat.id)

    def _look(self, owner: str, first: int, last: int) -> None:
        text = self._between(first, last)
        worn = self._tokens[first].low in {"in", "wearing", "dressed", "with"}
        clothing = any(t.low in word_list("clothing") or lemma(t.low, "NOUN") in word_list("garments")
                       for t in self._tokens[first:last])  # fmt: skip
        aspect = Aspect.CLOTHING if worn and clothing else Aspect.OTHER
        entity = next(e for e in self._cast if e.id == owner)
        self._change(owner, looks=(*entity.looks, Look(aspect, text, "after")))
        self._say(first, last, "cast", text, entity=owner)

    def _note_place(self, first: int, last: int) -> None:
        for phrase in phrases_in(self._tokens, first, last):
            if not self._note_setting(phrase, self._preposition_before(phrase.first)):
                self._details.append(self._between(first, last))

    def _note_other(self, clause: Clause) -> None:
        text = self._between(clause.first, clause.last)
        if all(t.tag in "RAE.C" for t in self._tokens[clause.first : clause.last]):
            self._details.append(text)
            return
        self._keep(clause)

    def _keep(self, clause: Clause) -> None:
        """Keep a clause's words as is, and report them as unread."""
        text = self._between(clause.first, clause.last)
        self._details.append(text)
        self._unread.append(text)

    # Entities ---------------------------------------------------------------------------------

    def _is_own_doing(self, clause: Clause) -> bool:
        """Tell whether the text begins with this clause and its verb is of moving or handling."""
        verb = lemma(self._tokens[clause.predicate].low, "VERB")
        is_first = not any(t.text.isalnum() for t in self._tokens[: clause.subjects[0].first])
        return is_first and bool({"travel", "handle"} & set(verb_classes(verb)))

    def _actors_of(self, number: int, clause: Clause) -> tuple[tuple[str, ...], str]:
        """Return the ids of the actors, and which part of them acts: "one", "the other"."""
        if not clause.subjects:
            if (
                english("driving_verbs") & {lemma(self._tokens[clause.predicate].low, "VERB")}
                and self._drives()
            ):
                return (), ""
            previous = next((a for a in reversed(self._actors[:number]) if a), ())
            if clause.form is Form.FINITE or previous:
                return previous, self._beats[-1].part if self._beats and previous else ""
            return (), ""
        first = clause.subjects[0]
        low = self._between(first.first, first.last).lower()
        if first.inner is not None and first.is_pronoun:
            known = [e for e in self._cast if e.noun == first.inner.noun]
            return ((known[0] if known else self._entity(first.inner)).id,), low
        if low in _PARTS and self._cast:
            several = [
                e for e in self._cast if (e.count or 2) > 1 and e.kind is not EntityKind.OTHER
            ]
            if several:
                return (several[0].id,), low
            leads = [e for e in self._cast if e.id in (next((a for a in self._actors if a), ()))]
            if len(leads) > 1:
                return ((leads[0] if low in {"one", "the first"} else leads[1]).id,), ""
            return (self._cast[0].id,), low
        if (
            low in english("first_person")
            and len(clause.subjects) == 1
            and self._is_own_doing(clause)
        ):
            self._values.setdefault("viewpoint", "ego view")
        if first.is_pronoun and low in english("somebody"):
            return (self._somebody(first).id,), ""
        if first.is_pronoun:
            found = self._meant(low)
            return ((found.id,) if found else ()), ""
        verb = self._tokens[clause.predicate] if clause.predicate < clause.last else None
        base = lemma(verb.low, "VERB") if verb else ""
        is_singular = verb is not None and verb.tag in "VX" and (
            verb.low in {"is", "was", "has", "'s", "isn't"} or verb.low == inflect(base, "VBZ") != base
        )  # fmt: skip
        return tuple(
            self._entity(p, is_singular=is_singular).id for p in clause.subjects if not p.is_pronoun
        ), ""

    def _somebody(self, phrase: NounPhrase) -> Entity:
        low = phrase.phrase.lower()
        for known in self._cast:
            if known.noun == low:
                return known
        count = None if low.startswith("every") else 1
        made = Entity(f"e{len(self._cast) + 1}", phrase.phrase, low, count, EntityKind.PERSON)
        self._cast.append(made)
        self._say(phrase.first, phrase.last, "cast", made.name, entity=made.id)
        return made

    def _drives(self) -> bool:
        return self._values.get("viewpoint") == "dashcam"

    def _meant(self, pronoun: str) -> Entity | None:
        """Return the entity that a pronoun most likely refers to."""
        lively = _LIVELY - {EntityKind.VEHICLE}
        options = [e for e in self._cast if e.phrase]
        if pronoun in {"it", "itself"}:
            own = [e for e in options if e.count == 1 and e.kind is not EntityKind.PERSON]
            active = [e for e in own if any(b.actor == e.id for b in self._beats)]
            return next(reversed(active or own), None)
        if pronoun in {"they", "them"}:
            several = [e for e in options if e.count != 1 and e.kind in {*lively, EntityKind.CROWD}]
            return next(iter(several or [e for e in options if e.kind in lively]), None)
        if pronoun in {"i", "we", "you"}:
            return None
        people = [e for e in options if e.kind in lively and e.kind is not EntityKind.CROWD]
        same, other = ("woman", "man") if pronoun in {"she", "her"} else ("man", "woman")
        ranks = {same: 0, "person": 1}
        fits = [e for e in people if subject_kind(e.noun) != other]
        return min(fits, key=lambda e: ranks.get(subject_kind(e.noun) or "", 2), default=None)

    def _entity(self, phrase: NounPhrase, *, is_singular: bool = False) -> Entity:
        """Return the entity of a noun phrase: a known one, or a new one."""
        determiner = phrase.determiner.lower()
        if not phrase.noun or phrase.is_pronoun:
            return Entity("", phrase.phrase)
        for known in self._cast:
            same = known.noun == phrase.noun and known.kind == phrase.kind
            again = determiner in {"the", "this", "that", "its", ""} or determiner.startswith(
                "the "
            )
            if same and again and (phrase.count in {known.count, 1, None}):
                return known
        made = Entity(
            f"e{len(self._cast) + 1}",
            phrase.phrase,
            phrase.noun,
            phrase.count,
            phrase.kind,
            phrase.looks,
            determiner=phrase.determiner,
        )
        if takes_article(self._tokens, phrase, is_singular=is_singular):
            made = replace(made, determiner="a", count=1)
        if determiner.startswith("my") and phrase.noun in english("seen_of_self"):
            self._values.setdefault("viewpoint", "ego view")
        self._cast.append(made)
        self._say(phrase.first, phrase.last, "cast", made.name, entity=made.id)
        if phrase.inner and phrase.inner.noun != made.noun and phrase.inner.kind in _LIVELY:
            self._entity(phrase.inner)
        return made

    def _targets(self, first: int, last: int, actors: tuple[str, ...]) -> tuple[str, ...]:
        """Note the other entities in a predicate; return the ids of its targets."""
        found: list[str] = []
        goes = "travel" in verb_classes(self._tokens[first - 1].low)
        for phrase in phrases_in(self._tokens, first, last):
            low = self._tokens[phrase.head].low
            preposition = self._preposition_before(phrase.first)
            if (preposition or goes) and self._note_setting(phrase, preposition):
                continue
            if phrase.is_pronoun:
                meant = self._meant(low) if low in {"it", "them", "him", "her"} else None
                if meant and meant.id not in actors:
                    found.append(meant.id)
                continue
            if phrase.kind is EntityKind.TEXT and not phrase.noun:
                continue
            if not phrase.looks and not phrase.determiner.isalpha() and _is_adjective_alone(low):
                continue
            if self._is_term(phrase) or low in word_list("not_where") | {
                "way",
                "time",
                "bit",
                "lot",
            }:
                continue
            found.append(self._entity(phrase).id)
        return tuple(dict.fromkeys(one for one in found if one))

    def _note_setting(self, phrase: NounPhrase, preposition: str) -> bool:
        """Note ``phrase`` as the setting if it is a place; return whether it is one."""
        place = self._place_of(phrase)
        if place is None or phrase.is_pronoun or self._is_term(phrase):
            return False
        if place.kind in {"surface", "perch"} and preposition in {
            "on",
            "under",
            "by",
            "in",
            "along",
        }:
            self._surfaces.append(self._place_name(phrase))
            return False
        if place.kind in {"surface", "perch"} or phrase.kind is EntityKind.BODY_PART:
            return False
        if preposition in {"of", "with", "for", "about", "from"}:
            return False
        if place.kind == "vehicle" and preposition not in {"in", "inside", "on", "aboard"}:
            return False
        if not self._values.get("setting"):
            name = self._place_name(phrase)
            aside = f"{preposition} {name}" if preposition in _ASIDE else name
            self._set("setting", aside, phrase.first, phrase.last)
        return True

    def _place_of(self, phrase: NounPhrase) -> Place | None:
        """Return the kind of place a noun phrase names, by its last two words or its last."""
        head = self._tokens[phrase.head].low
        before = self._tokens[phrase.head - 1].low if phrase.head > phrase.core else ""
        if phrase.inner is not None and head in english("measures"):
            return None
        return (place_named(f"{before}-{head}") if before else None) or place_named(head)

    def _note_leads(self) -> None:
        """Mark the leads: the entities that act first, or are named first."""
        first = next((actors for actors in self._actors if actors), ())
        acting = next((b.actor for b in self._beats if b.actor), "")
        leads = set(first) if not acting or acting in first else {acting}
        if not leads and self._cast:
            lively = [e for e in self._cast if e.kind in {EntityKind.PERSON, EntityKind.ANIMAL}]
            leads = {(lively or self._cast)[0].id}
        order = [e for e in self._cast if e.id in leads] + [
            e for e in self._cast if e.id not in leads
        ]
        self._cast = [replace(e, is_lead=e.id in leads) for e in order]
        is_named = any(clause.form is Form.PHRASE for clause in self._clauses)
        if not self._cast and is_named and self._values.get("setting") and not self._beats:
            text = self._values["setting"]
            noun = lemma(text.split(" of ")[0].split()[-1].lower(), "NOUN")
            self._cast = [_place_entity(text, noun)]

    def _note_quotations(self) -> None:
        for token in self._tokens:
            if token.tag != "Q":
                continue
            around = self._text[max(0, token.start - 40) : token.start]
            words = token.text.strip('"').strip()
            speech = re.search(r"\b(?:say|says|said|shouts?|asks?|whispers?|yells?)\W*\Z", around)
            person = any(e.kind is EntityKind.PERSON for e in self._cast)
            if words and _pattern("written").search(around) and not (speech and person):
                self._written.append(words)
                self._said.append(Said(token.start, token.end, "on_screen_text", words))

    # Words ------------------------------------------------------------------------------------

    def _doing(self, verb: int, last: int) -> str:
        """Return the predicate in the -ing form, without what other fields hold."""
        tokens = self._tokens
        at = verb
        negated = verb > 0 and tokens[verb - 1].low == "never"
        while at + 1 < last and (tokens[at].tag in "XE" or tokens[at].tag == "R"):
            if (
                tokens[at].low in {"gets", "get", "does", "do", "has", "have"}
                and tokens[at + 1].tag in "ODAN"
            ):
                break
            negated = negated or tokens[at].tag == "E" or tokens[at].low.endswith("n't")
            if tokens[at].tag == "R" and not any(t.tag in "VGP" for t in tokens[at + 1 : at + 2]):
                break
            at += 1
        words = self._without_place(self._between(at, last, without_terms=True))
        head, _, rest = words.partition(" ")
        if tokens[at].tag == "P" and at > verb:
            words, head = f"being {words}", ""
            return f"not {words}" if negated else words
        if tokens[at].tag in "VNXG":
            head = progressive(head)
        text = f"{head} {rest}".strip(" ,")
        return f"not {text}" if negated and text else text

    def _without_place(self, words: str) -> str:
        """Return a predicate without the setting at its end."""
        setting = self._values.get("setting", "")
        bare = re.sub(r"^(?:an?|the)\s+", "", setting)
        if not bare:
            return words
        return re.sub(
            rf"\s+(?:in|on|at|inside|aboard|within)\s+(?:(?:an?|the|his|her|their|its)\s+)?{re.escape(bare)}\Z",
            "",
            words,
        )

    def _between(self, first: int, last: int, *, without_terms: bool = False) -> str:
        """Return the text of the tokens ``first`` to ``last`` (exclusive)."""
        if first >= last:
            return ""
        start, end = self._tokens[first].start, self._tokens[last - 1].end
        if not without_terms:
            return self._text[start:end]
        text = self._text[start:end]
        for term in sorted(self._terms, key=lambda t: t.start, reverse=True):
            # Only a term at the end of the predicate is cut.
            if (
                start < term.start
                and term.end <= start + len(text)
                and term.end == start + len(text)
            ):
                text = re.sub(
                    r"[\s,]+(?:in|at|on|during|with|under|by|into|through)?(?:\s+(?:the|a|an))?\s*\Z",
                    "",
                    text[: term.start - start],
                )
        return text.strip()

    def _preposition_before(self, at: int) -> str:
        return self._tokens[at - 1].low if at and self._tokens[at - 1].tag in "IT" else ""

    def _is_term(self, phrase: NounPhrase) -> bool:
        head = self._tokens[phrase.head]
        return any(t.start <= head.start and head.end <= t.end for t in self._terms)

    def _is_viewpoint(self, phrase: NounPhrase) -> bool:
        head = self._tokens[phrase.head]
        return any(
            t.field == "viewpoint" and t.start <= head.start and head.end <= t.end
            for t in self._terms
        )

    def _place_name(self, phrase: NounPhrase) -> str:
        text = self._between(phrase.first, phrase.last)
        if takes_article(self._tokens, phrase, is_singular=False):
            return f"{article(text)} {text}"
        return text

    def _set(self, name: str, value: str, first: int, last: int) -> None:
        self._values[name] = value
        self._say(first, last, name, value)

    def _say(
        self, first: int, last: int, field: str, value: str, *, entity: str = "", beat: str = "",
        sureness: float = 1.0,
    ) -> None:  # fmt: skip
        start, end = self._tokens[first].start, self._tokens[last - 1].end
        self._said.append(Said(start, end, field, value, entity, beat, sureness))

    def _change(self, entity_id: str, **values: object) -> None:
        at = next(i for i, e in enumerate(self._cast) if e.id == entity_id)
        self._cast[at] = replace(self._cast[at], **values)  # type: ignore[arg-type]


def _is_adjective_alone(low: str) -> bool:
    """Tell whether a word tagged as a noun is an adjective: "stacks them 3 high"."""
    return is_adjective(low) and subject_kind(low) is None and place_named(low) is None


def _whole_segments(text: str, found: Sequence[Term]) -> Iterator[Term]:
    """Yield the terms that fill a whole segment between punctuation: ", fantasy", ", macro"."""
    for match in re.finditer(r"[^,.;:!?]+", text):
        said = match[0].strip()
        start = match.start() + len(match[0]) - len(match[0].lstrip())
        if any(t.start <= start and start + len(said) <= t.end for t in found):
            continue
        for field in vocabulary():
            if term := canonical_term(field, said):
                yield Term(start, start + len(said), field, term)
                break


def _place_of_term(term: Term) -> tuple[int, int]:
    return term.start, term.end


def progressive(verb: str) -> str:
    """Return the -ing form of a verb given in any form: "leans" → "leaning"."""
    low = verb.lower()
    base = lemma(low, "VERB")
    return verb if low.endswith("ing") and base != low else inflect(base, "VBG")


def _place_entity(text: str, noun: str) -> Entity:
    first, _, rest = text.partition(" ")
    determined = first.lower() in {"a", "an", "the", "one"} and rest
    count = None if is_plural(noun) else 1
    return Entity(
        "e1",
        rest if determined else text,
        noun,
        count,
        kind_of(noun),
        determiner=first if determined else "",
        is_lead=True,
    )
