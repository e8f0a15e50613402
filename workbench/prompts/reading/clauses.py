"""Splits tagged words into clauses with subjects, predicate and relative timing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import inflect, is_plural, lemma
from workbench.lexicon.tagging import Token, is_action
from workbench.lexicon.terms import Term, place_named, word_list
from workbench.prompts.reading.phrases import NounPhrase, noun_phrase_at
from workbench.scene import When

__all__ = ["Clause", "Form", "agreement", "clauses_in", "phrases_in"]

_ENDS: Final = frozenset(".!?…;:")
_WHENS: Final = {
    "then": When.THEN, "later": When.THEN, "next": When.THEN, "afterwards": When.THEN,
    "suddenly": When.THEN, "eventually": When.THEN, "finally": When.FINALLY, "second": When.THEN,
    "before": When.THEN, "until": When.THEN, "till": When.THEN, "while": When.WHILE,
    "meanwhile": When.WHILE, "as": When.WHILE, "whilst": When.WHILE,
}  # fmt: skip
_MARKS: Final = frozenset({*_WHENS, "first", "and", "but", "so", "when", "because", "since", "after",
                           "if", "though", "although", "or", "where", "now", "once", "yet"})  # fmt: skip


class Form(StrEnum):
    """The grammatical form of a clause."""

    FINITE = "finite"
    ING = "ing"
    """A predicate without a finite verb: "dog running", "seen from above"."""
    STATE = "state"
    """A state: "the paper is wet"."""
    PHRASE = "phrase"
    """A noun phrase with its modifiers."""
    PLACE = "place"
    """A place: "in a kitchen"."""
    NEGATIVE = "negative"
    """What must not be seen: "no people"."""
    MODIFIER = "modifier"
    """Only vocabulary terms for camera, style or light."""
    OTHER = "other"
    """None of these; kept as is."""


@dataclass(frozen=True, slots=True)
class Clause:
    """The tokens ``first`` to ``last`` (exclusive) of one clause, without its conjunctions."""

    first: int
    last: int
    form: Form
    joint: str = ""
    """The conjunctions before it: "and then"."""
    stop: str = ""
    """The punctuation mark before it."""
    when: When = When.TOGETHER
    subjects: tuple[NounPhrase, ...] = ()
    predicate: int = 0
    """Start of the predicate; ``last`` if there is none."""
    lead: int = 0
    """Start of what follows a lead such as "close-up of"; ``first`` if there is no lead."""
    sureness: float = 1.0

    @property
    def has_predicate(self) -> bool:
        """Whether the clause describes an event."""
        return self.form in {Form.FINITE, Form.ING}


def clauses_in(tokens: Sequence[Token], terms: Sequence[Term]) -> list[Clause]:
    """Return the clauses of a text in order; together they cover every word."""
    made: list[Clause] = []
    for first, last, stop in _segments(tokens, terms):
        made += _clauses(tokens, first, last, stop, terms, made)
    return made


def _segments(tokens: Sequence[Token], terms: Sequence[Term]) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    first, stop = 0, ""
    for at, token in enumerate(tokens):
        if token.tag != "." or not _cuts(tokens, at):
            continue
        if first < at:
            found.append((first, at, stop))
        stop = token.text if token.text in _ENDS else ("," if first < at or not stop else stop)
        first = at + 1
    if first < len(tokens):
        found.append((first, len(tokens), stop))
    return [part for one in found for part in _without_weather(tokens, terms, *one)]


def _without_weather(
    tokens: Sequence[Token], terms: Sequence[Term], first: int, last: int, stop: str
) -> list[tuple[int, int, str]]:
    """Split weather or time from the place before it in a list of keywords: "alley rain"."""
    at = last - 1
    own = any(
        t.field in {"weather", "time_of_day"}
        and t.start == tokens[at].start
        and t.end == tokens[at].end
        for t in terms
    )
    plain = all(token.tag in "NA" for token in tokens[first:last])
    if at > first and own and plain and place_named(tokens[at - 1].low):
        return [(first, at, stop), (at, last, ",")]
    return [(first, last, stop)]


def _cuts(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether the mark ends a segment; the comma in "a red, shiny car" does not."""
    if tokens[at].text in {"'", "’", "%", "#", "$", "€", "°", "*", "/", "+", "&", "@", "="}:
        return False
    if tokens[at].text in {"-", "−"} and at + 1 < len(tokens):
        is_sign = tokens[at + 1].start == tokens[at].end and tokens[at + 1].text[0].isdigit()
        if is_sign and (at == 0 or tokens[at - 1].end < tokens[at].start):
            return False
    if tokens[at].text == "," and 0 < at < len(tokens) - 2:
        inside = tokens[at - 1].tag == "A" and tokens[at + 1].tag == "A"
        if inside and any(tokens[i].tag == "D" for i in (at - 2, at - 3) if i >= 0):
            return any(t.tag in ".VX" for t in tokens[at + 1 : at + 3])
    return True


def _clauses(
    tokens: Sequence[Token],
    first: int,
    last: int,
    stop: str,
    terms: Sequence[Term],
    before: Sequence[Clause],
) -> list[Clause]:
    """Return the clauses of one segment, split where another predicate begins."""
    made: list[Clause] = []
    while first < last:
        joined = first
        while joined < last and _is_mark(tokens, joined, last):
            joined += 1
        if joined == last:
            joined = first
        end = _next_cut(tokens, joined, last)
        joint = " ".join(token.text for token in tokens[first:joined])
        when = next((_WHENS[w] for w in joint.lower().split() if w in _WHENS), When.TOGETHER)
        clause = _clause(tokens, joined, end, terms)
        if not made and not before and when is not When.WHILE:
            when = When.TOGETHER
        made.append(replace(clause, joint=joint, stop=stop, when=when))
        first, stop = end, ""
    return made


def _is_mark(tokens: Sequence[Token], at: int, last: int) -> bool:
    low = tokens[at].low
    if low not in _MARKS or tokens[at].tag not in "CSRAI":
        return False
    if low in {"as", "before", "until", "till", "after", "since", "like"}:
        return _has_verb(tokens, at + 1, last)
    if low in {"second", "now", "once", "so", "first"}:
        return at + 1 < last and tokens[at].tag in "RS" and tokens[at + 1].tag in "ODNVGSR"
    return True


def _has_verb(tokens: Sequence[Token], at: int, last: int) -> bool:
    """Tell whether a clause begins at ``at``: a noun phrase and a verb, or a verb."""
    if at < last and tokens[at].tag in "GV":
        return True
    phrase = noun_phrase_at(tokens, at, last)
    return phrase is not None and any(t.tag in "VX" for t in tokens[phrase.last : phrase.last + 4])


def _next_cut(tokens: Sequence[Token], first: int, last: int) -> int:
    """Return where the next clause of the segment begins, its conjunctions included."""
    seen = False
    for at in range(first, last):
        tag = tokens[at].tag
        seen = seen or tag in "VXG"
        if at == first or at + 1 >= last:
            continue
        low, following = tokens[at].low, tokens[at + 1]
        if low == "then" and seen and following.tag in "VXGDNOR":
            return at
        if tag == "C" and low in {"and", "but", "or"} and seen and _begins(tokens, at + 1, last):
            return at
        if tag == "C" and low == "but" and _has_verb(tokens, at + 1, last):
            return at
        if tag in "SI" and low in english("timed") and seen and _has_verb(tokens, at + 1, last):
            return at
    return last


def _begins(tokens: Sequence[Token], at: int, last: int) -> bool:
    """Tell whether a clause begins after "and": a verb, or a subject and a verb."""
    while at < last and (tokens[at].tag == "R" or tokens[at].low == "then"):
        at += 1
    if at < last and tokens[at].tag in "VX":
        return True
    phrase = noun_phrase_at(tokens, at, last)
    if phrase is None or phrase.last >= last:
        return False
    place = phrase.last
    while place < last and tokens[place].tag in "RE":
        place += 1
    return place < last and tokens[place].tag in "VX"


def _clause(tokens: Sequence[Token], first: int, last: int, terms: Sequence[Term]) -> Clause:
    if _is_modifier(tokens, first, last, terms):
        return Clause(first, last, Form.MODIFIER, predicate=last, lead=first)
    lead = _after_lead(tokens, first, last, terms)
    plain = Clause(first, last, Form.OTHER, predicate=last, lead=lead)
    at = lead
    low = tokens[at].low
    if low in {"no", "without", "nobody", "none"} and not _finite_after(tokens, at + 1, last):
        return replace(plain, form=Form.NEGATIVE)
    while at < last and tokens[at].tag == "R":
        at += 1
    if at < last and tokens[at].tag == "I":
        return _fronted(tokens, plain, at)
    if at + 1 < last and tokens[at].low in {"there", "there's"}:
        at += 1 + (tokens[at + 1].tag == "X")
    subjects, after = _subjects(tokens, at, last)
    verb = _predicate(tokens, after, last, has_subject=bool(subjects))
    if verb is None:
        if not subjects:
            return plain
        return replace(plain, form=Form.PHRASE, subjects=subjects)
    form = Form.FINITE if tokens[verb].tag in "VX" else Form.ING
    if tokens[verb].tag == "X" and _is_state(tokens, verb):
        form = Form.STATE
    sure = min(
        [tokens[verb].sureness, *(tokens[s.head].sureness for s in subjects if not s.is_pronoun)]
    )
    return replace(plain, form=form, subjects=subjects, predicate=verb, sureness=sure)


def _fronted(tokens: Sequence[Token], plain: Clause, at: int) -> Clause:
    """Return a clause that begins with a place: "on the left a dog sleeps", "in a kitchen"."""
    place = noun_phrase_at(tokens, at + 1, plain.last)
    after = place.last if place else at + 1
    subjects, end = _subjects(tokens, after, plain.last)
    verb = _predicate(tokens, end, plain.last, has_subject=bool(subjects)) if subjects else None
    if verb is None or not subjects:
        return replace(plain, form=Form.PLACE if place else Form.OTHER)
    form = Form.FINITE if tokens[verb].tag in "VX" else Form.ING
    return replace(plain, form=form, subjects=subjects, predicate=verb)


def _is_modifier(tokens: Sequence[Token], first: int, last: int, terms: Sequence[Term]) -> bool:
    """Tell whether the segment consists of vocabulary terms only."""
    start, end = tokens[first].start, tokens[last - 1].end
    own = [term for term in terms if start <= term.start and term.end <= end]
    if not own:
        return False
    left = [
        token
        for token in tokens[first:last]
        if not any(term.start <= token.start and token.end <= term.end for term in own)
    ]
    return all(
        t.low in english("term_fillers") or t.tag == "." or t.low in word_list("adverbs")
        for t in left
    )


def _after_lead(tokens: Sequence[Token], first: int, last: int, terms: Sequence[Term]) -> int:
    """Return the start of what follows a lead such as "close-up of" or "dashcam footage:"."""
    for at in range(first, min(first + 9, last - 1)):
        if tokens[at].low not in {"of", "showing", "where", "featuring", "from", "with", "as"}:
            continue
        if tokens[at].low in {"from", "with", "as"} and tokens[at - 1].low not in {
            "scene",
            "view",
            "shot",
            "footage",
        }:
            continue
        named = tokens[at - 1].low in word_list("lead_nouns") or any(
            term.end == tokens[at - 1].end and term.start >= tokens[first].start for term in terms
        )
        if at > first and named:
            return at + 1
        return first
    for term in terms:
        starts = (
            term.start == tokens[first].start
            or term.start == tokens[min(first + 1, last - 1)].start
        )
        if term.field not in {"camera_movement", "viewpoint"} or not starts:
            continue
        behind = next((i for i in range(first, last) if tokens[i].start >= term.end), last)
        if behind + 1 < last and tokens[behind].tag == "I":
            return behind + 1
    return first


def _subjects(tokens: Sequence[Token], at: int, last: int) -> tuple[tuple[NounPhrase, ...], int]:
    """Return the noun phrases that begin a clause, and the index after them."""
    phrase = noun_phrase_at(tokens, at, last)
    if phrase is None:
        return (), at
    found = [phrase]
    while found[-1].last < last:
        place = _after_place(tokens, found[-1].last, last)
        if place >= last or tokens[place].low != "and":
            break
        other = noun_phrase_at(tokens, place + 1, last)
        if other is None or (other.is_pronoun and not found[0].is_pronoun):
            break
        if place > found[-1].last and not any(t.tag in "VXG" for t in tokens[other.last : last]):
            break
        found.append(other)
    return tuple(found), found[-1].last


def _after_place(tokens: Sequence[Token], at: int, last: int) -> int:
    """Return the index after a noun phrase's modifiers: "a man in a red jacket and a woman"."""
    while at < last and tokens[at].tag == "I":
        phrase = noun_phrase_at(tokens, at + 1, last)
        if phrase is None:
            return at
        at = phrase.last
    return at


def _predicate(tokens: Sequence[Token], at: int, last: int, *, has_subject: bool) -> int | None:
    """Return the index of the first finite verb outside relative clauses, or of an -ing form."""
    first_ing = None
    in_relative = False
    for place in range(at, last):
        tag = tokens[place].tag
        if tag == "W" and place > at:
            in_relative = True
        elif tag in "VX":
            if not in_relative:
                if tag == "V" and tokens[place - 1].tag == "T" and place > at:
                    continue
                if tag == "V" and not has_subject and tokens[place].sureness < 0.5:
                    continue
                return place
            in_relative = False
            first_ing = place if first_ing is None else first_ing
        elif tag == "G" and first_ing is None and _is_worn(tokens, place, last):
            continue
        elif (tag == "G" and first_ing is None and tokens[place - 1].tag != "I") or (
            tag == "P" and first_ing is None and place + 1 < last and tokens[place + 1].tag == "I"
        ):
            first_ing = place
        elif tag == "N" and place == at and not has_subject and is_action(tokens[place].text):
            return place
    return first_ing


_WORN: Final = frozenset(["wearing", "holding", "carrying", "clutching", "sporting"])


def _is_worn(tokens: Sequence[Token], place: int, last: int) -> bool:
    """Tell whether an -ing form only describes the subject: "a woman wearing a hat reading"."""
    if tokens[place].low not in _WORN:
        return False
    return any(
        (tokens[at].tag == "G" or (is_plural(tokens[at - 1].low) and tokens[at].low.endswith("s")))
        and tokens[at - 1].tag in "NA"
        and is_action(tokens[at].text)
        and tokens[at].low not in _WORN
        for at in range(place + 2, last)
    )


def _finite_after(tokens: Sequence[Token], at: int, last: int) -> bool:
    return any(token.tag == "V" for token in tokens[at:last])


def _is_state(tokens: Sequence[Token], verb: int) -> bool:
    if tokens[verb].low not in {"is", "are", "was", "were", "'s", "'re", "isn't", "aren't", "be"}:
        return False
    return not any(token.tag in "GPV" for token in tokens[verb + 1 : verb + 4])


def phrases_in(tokens: Sequence[Token], first: int, last: int) -> list[NounPhrase]:
    """Return every noun phrase among the words ``first`` up to ``last``, in order."""
    found: list[NounPhrase] = []
    at = first
    while at < last:
        phrase = noun_phrase_at(tokens, at, last) if tokens[at].tag in "DANGPQO" else None
        if phrase is None:
            at += 1
            continue
        found.append(phrase)
        at = phrase.last
    return found


def agreement(subjects: Sequence[NounPhrase], tokens: Sequence[Token], verb: int) -> str:
    """Return the Penn tag of the verb that fits the subjects: VBZ or VBP."""
    if len(subjects) > 1:
        return "VBP"
    head = tokens[subjects[0].head].low
    base = lemma(tokens[verb].low, "VERB")
    if inflect(base, "VBZ") == tokens[verb].low:
        return "VBZ"
    several = subjects[0].count not in {1, None} or is_plural(head)
    return "VBP" if several or head in {"they", "i", "we", "you"} else "VBZ"
