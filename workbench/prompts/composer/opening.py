"""Corrects the user's own words: all of them, in order, with articles, verbs and full stops."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from workbench.lexicon.datafiles import english
from workbench.lexicon.morphology import inflect, is_plural, lemma, lemmas
from workbench.lexicon.tagging import Token
from workbench.lexicon.terms import place_named, word_list
from workbench.lexicon.words import article, sentence_case
from workbench.prompts.composer.facts import small
from workbench.prompts.reading.clauses import Clause, Form, agreement, phrases_in
from workbench.prompts.reading.phrases import MOUNTED, NounPhrase, takes_article
from workbench.prompts.reading.reading import Reading
from workbench.scene import EntityKind

__all__ = ["opening"]

_IN_THE: Final = frozenset({"morning", "afternoon", "evening", "early morning", "late afternoon"})
_AT: Final = frozenset({"night", "dawn", "dusk", "sunset", "sunrise", "noon", "midnight", "midday",
                        "golden hour", "blue hour", "twilight", "daybreak", "nighttime"})  # fmt: skip
_IN: Final = re.compile(
    r"(?:.*\b)?(?:slow motion|time-lapse|real time|rain|fog|snow|mist|wind)\Z", re.IGNORECASE
)
_WHOLE: Final = {"first-person": "first-person view", "pov": "POV shot", "macro": "macro shot"}
_STOPS: Final = frozenset(".!?…")
_UNUSUAL: Final = re.compile(r"[()\[\];?&@#*/=+<>]|\.\.|\s[-–—]")
_QUESTION: Final = re.compile(
    r"(?:what|how|why|where|who|when)\s+(?:does|do|did|is|are|would|will|can|could|if)\b",
    re.IGNORECASE,
)
_MOST_MENDED: Final = 60
"""Maximum words of a text whose sentences are rebuilt; a longer one keeps its punctuation."""
_MOST_REFORMED: Final = 16
"""Maximum words of a text in which "a dog running" becomes "a dog runs"."""
_HEADING_WORDS: Final = 7
"""Maximum words before the first event that count as its heading; more is a sentence."""


def opening(reading: Reading) -> tuple[str, ...]:
    """Return the user's text as sentences, each with its full stop.

    Where the grammar is uncertain, the words keep their order and punctuation.
    """
    written = _Opening(reading)
    mended = written.sentences()
    return mended if written.is_sure and _is_plain(reading) else _as_typed(written.typed())


def _is_plain(reading: Reading) -> bool:
    """Tell whether the text is short, without punctuation or words whose reading is a guess."""
    inside = reading.text.rstrip(" .!?…")
    is_short = len(inside.split()) <= _MOST_MENDED
    return is_short and not (_UNUSUAL.search(inside) or _QUESTION.match(inside) or reading.unread)


def _as_typed(text: str) -> tuple[str, ...]:
    """Return the text unchanged but for a capital and a full stop for every sentence."""
    parts = [part.strip() for part in re.split(r"(?<=[.!?…])\s+(?=\S)", text) if part.strip()]
    last = parts[-1] if parts else ""
    if _QUESTION.match(last) and not last.endswith((".", "!", "?", "…")):
        parts[-1] = f"{last}?"
    return tuple(_ended(sentence_case(part)) for part in parts)


@dataclass(slots=True)
class _Opening:
    """Joins the clauses of a reading into sentences."""

    reading: Reading
    _done: list[str] = field(default_factory=list)
    _heading: list[tuple[Form, str]] = field(default_factory=list)
    _current: str = ""
    _chain: list[str] = field(default_factory=list)
    _looks: list[str] = field(default_factory=list)
    _named: set[str] = field(default_factory=set)
    _edits: list[tuple[int, int, str]] = field(default_factory=list)
    """The article before the first word, where it is certain."""
    _after_event: bool = False
    _has_subject: bool = False
    _subject_kind: EntityKind | None = None
    _has_verb: bool = False
    """Whether the current sentence has a verb with its subject."""
    is_sure: bool = True
    """False once a correction was made that may be wrong."""

    def sentences(self) -> tuple[str, ...]:
        """Return the sentences, in order."""
        if not self.reading.clauses:
            return (_ended(sentence_case(self.reading.text)),)
        for clause in self.reading.clauses:
            self._add(clause)
        self._close()
        return tuple(self._done)

    def typed(self) -> str:
        """Return the text as typed, but for its first article.

        Articles in only some phrases of a note read worse than none.
        """
        return _applied(self.reading.text, 0, len(self.reading.text), self._edits)

    def _add(self, clause: Clause) -> None:
        body = self._body(clause)
        if clause.stop in _STOPS and (self._current or self._heading):
            self._close()
        if clause.form is Form.MODIFIER:
            self.is_sure = self.is_sure and not clause.joint
            self._modify(body)
        elif clause.form in {Form.FINITE, Form.ING, Form.STATE}:
            self._happen(clause, body)
        else:
            self._show(clause, body)

    def _modify(self, body: str) -> None:
        body = _WHOLE.get(body.lower(), body)
        if not self._current:
            self._heading.append((Form.MODIFIER, body))
            return
        if phrase := _adverbial(body):
            self._end_chain()
            self._current += (
                f" {phrase}" if self._after_event and not self._looks else f", {phrase}"
            )
            return
        self._looks.append(body)

    def _happen(self, clause: Clause, body: str) -> None:
        joint = clause.joint.lower()
        whole = bool(clause.subjects) and clause.subjects[0].noun not in {
            "one",
            "no one",
            "another",
        }
        self._has_subject = whole or self._is_driver(clause)
        if clause.subjects and clause.subjects[0].noun == "camera" and not self._current:
            self._close()
        is_list = len(clause.subjects) > 1 and Form.PHRASE in dict(self._heading)
        self.is_sure = self.is_sure and self._is_certain(clause) and not is_list
        if not clause.subjects and self._is_driver(clause):
            body = f"the car {body}"
        elif not clause.subjects and clause.form is Form.FINITE:
            self._go_on(joint, body)
            return
        elif not clause.subjects:
            self._end_chain()
            separator = "" if not self._current else " " if clause.stop == "" else ", "
            self._put(f"{separator}{joint} {body}" if joint else f"{separator}{body}")
            return
        first = joint.split()[0] if joint else ""
        if self._current and first in english("subordinating") | english("coordinating"):
            self._end_chain()
            comma = ", " if clause.stop or first in {"but", "so", "yet", "then"} else " "
            self._current += f"{comma}{joint} {body}"
        elif not self._current and first == "but" and self._heading:
            self._current = ", ".join(body for _, body in self._heading)
            self._current += f", but {body}"
            self._heading = []
        elif not self._current:
            self._put(f"{joint} {body}".strip())
        elif self._looks or not self._chains_with(clause):
            self._close()
            self._put(f"{joint} {body}".strip())
        else:
            self._chain.append(body)
        self._has_verb = self._has_verb or self._is_told(clause)
        self._subject_kind = clause.subjects[0].kind if clause.subjects else self._subject_kind
        self._after_event = True

    def _is_certain(self, clause: Clause) -> bool:
        """Tell whether the grammar of a clause with an event is certain."""
        tokens = self.reading.tokens
        for phrase in clause.subjects:
            if phrase.is_pronoun:
                continue
            head = tokens[phrase.head]
            named = phrase.kind is not EntityKind.OTHER or "NOUN" in lemmas(head.low)
            in_pace = any(
                t.field in {"pace", "time_of_day", "viewpoint"}
                and t.start < head.end
                and tokens[phrase.core].start < t.end
                for t in self.reading.terms
            )
            in_pace = in_pace or tokens[phrase.core].low in english("paces")
            doubtful = is_plural(head.low) and phrase.kind is EntityKind.BODY_PART
            if (
                not named
                or in_pace
                or (doubtful and clause.form is Form.FINITE and phrase.count == 1)
            ):
                return False
        if (
            clause.form is Form.FINITE
            and not clause.subjects
            and self._heading
            and not self._current
        ):
            verb = tokens[clause.predicate].low
            is_bare = verb == lemma(verb, "VERB")  # "a house, follow the light": a request
            return self._heading[-1][0] is Form.PHRASE and not is_bare
        return True

    def _is_told(self, clause: Clause) -> bool:
        """Tell whether a clause is a sentence: its verb is finite or can be made finite."""
        verb = self.reading.tokens[clause.predicate]
        if not clause.subjects or clause.form is Form.STATE:
            return False
        return clause.form is not Form.ING or bool(self._verbs(clause, verb))

    def _chains_with(self, clause: Clause) -> bool:
        """Tell whether a short clause with its own subject continues the current list."""
        return bool(self._chain) and not clause.joint and self._is_driver(clause)

    def _is_driver(self, clause: Clause) -> bool:
        verb = lemma(self.reading.tokens[clause.predicate].low, "VERB")
        return (
            self.reading.scene.viewpoint == "dashcam"
            and verb in english("driving_verbs")
            and not clause.subjects
        )

    def _go_on(self, joint: str, body: str) -> None:
        """Add the next action of the same actor."""
        is_fragment = bool(self._current) and not self._has_verb
        is_apart = bool(self._current) and not self._after_event
        is_of_part = self._subject_kind is EntityKind.BODY_PART
        # "a pendulum made of a can, swings", "packs a case, case too full, sits on it", "its foot slips,
        # recovers": the subject is uncertain
        self.is_sure = self.is_sure and not (is_fragment or is_apart or is_of_part)
        if self._current and body.startswith("to "):
            self._end_chain()
            self._current += f", {body}"
            return
        is_subject = bool(self._heading) and self._heading[-1][0] is Form.PHRASE and joint != "but"
        if not self._current and is_subject:
            _, subject = self._heading.pop()
            last = subject.lower().split()[-1]
            self.is_sure = self.is_sure and last not in english("no_article_before")
            self._put(f"{subject} {body}")
            self._has_verb = True
        elif not self._current and joint == "but" and self._heading:
            self._current = ", ".join(one for _, one in self._heading) + f", but {body}"
            self._heading = []
        elif not self._current:
            self._put(f"{joint} {body}".strip())
        elif joint == "and" and self._chain:
            self._chain.append(body)
            self._end_chain()
        elif joint and joint.split(maxsplit=1)[0] in {"and", "but", "or"}:
            self._end_chain()
            self._current += f" {joint} {body}" if joint == "and" else f", {joint} {body}"
        elif joint:
            self._end_chain(is_last=joint != "then")
            self._current += f", {joint} {body}"
        else:
            self._chain.append(body)
        self._after_event = True

    def _show(self, clause: Clause, body: str) -> None:
        joint = clause.joint.lower()
        is_list = clause.stop == ":" and bool(self._heading or self._current)
        if is_list or (self._chain and not joint) or (self._heading and self._may_happen(clause)):
            self.is_sure = False
        self._end_chain()
        if not self._current:
            if joint and self._heading:
                form, last = self._heading.pop()
                clause = replace(clause, form=form)
                body = (
                    f"{last}, {joint} {body}"
                    if joint in {"but", "so"}
                    else f"{last} {joint} {body}"
                )
            elif joint:
                body = f"{joint} {body}"
            self._heading.append((clause.form, body))
            return
        if joint:
            self._current += (
                f"{clause.stop} {joint} {body}" if clause.stop == "," else f" {joint} {body}"
            )
        elif clause.form is Form.PHRASE and self._stands_alone(clause) and self._after_event:
            noun = clause.subjects[0].noun
            self._current += f", with {body}" if noun in english("accompanies") else f", {body}"
            self.is_sure = self.is_sure and noun in english("accompanies")
        else:
            mark = f"{clause.stop} " if clause.stop in {":", ";"} else ", " if clause.stop else " "
            self._current += f"{mark}{body}"
        self._after_event = False

    def _may_happen(self, clause: Clause) -> bool:
        """Tell whether a phrase read as a thing may be an action: "guesses wrong"."""
        first = self.reading.tokens[clause.first].low
        base = lemma(first, "VERB")
        is_thing = bool(clause.subjects) and clause.subjects[0].kind is not EntityKind.OTHER
        return not is_thing and base != first and inflect(base, "VBZ") == first

    def _stands_alone(self, clause: Clause) -> bool:
        subject = clause.subjects[0]
        is_whole = clause.subjects[-1].last == clause.last and not subject.is_pronoun
        return is_whole and subject.kind not in {EntityKind.TEXT, EntityKind.OTHER}

    def _put(self, text: str) -> None:
        """Add the first words of a sentence, after the heading if there is one."""
        if self._current or not self._heading:
            self._current += text
            return
        forms = {form for form, _ in self._heading}
        heading = ", ".join(body for _, body in self._heading)
        self.is_sure = self.is_sure and Form.OTHER not in forms and self._has_subject
        self._heading = []
        if forms == {Form.PLACE} or text.lower().startswith(("then ", "and ", "but ", "so ")):
            self._current = f"{heading}, {text}"
        elif len(heading.split()) <= _HEADING_WORDS:
            self._current = f"{heading}: {text}"
        else:
            self._done.append(_ended(sentence_case(heading)))
            self._current = text

    def _end_chain(self, *, is_last: bool = True) -> None:
        """Add the collected clauses, with "and" before the last unless more follow."""
        if self._chain and not is_last:
            self._current += "".join(f", {one}" for one in self._chain)
            self._chain = []
        if self._chain:
            *most, last = self._chain
            self._current += "".join(f", {one}" for one in most)
            self._current += f", and {last}" if most else f" and {last}"
            self._chain = []

    def _close(self) -> None:
        self._end_chain()
        if self._heading:
            self._current = self._listed()
            self._heading = []
        if self._current:
            self._done.append(_ended(sentence_case(self._current)))
        if self._looks:
            self._done.append(_ended(sentence_case(", ".join(self._looks))))
        self._current, self._looks, self._after_event = "", [], False
        self._has_verb = False

    def _listed(self) -> str:
        """Return a text made of phrases only: "a coffee ad: a cup, steam"."""
        first, *rest = [body for _, body in self._heading]
        shown = [form for form, _ in self._heading]
        is_lead = first.split()[-1].lower() in english("picture_leads")
        if rest and is_lead and shown[0] is Form.PHRASE and shown[1] is Form.PHRASE:
            return f"{first}: {', '.join(rest)}"
        return ", ".join([first, *rest])

    # The words of one clause ----------------------------------------------------------------------

    def _body(self, clause: Clause) -> str:
        tokens = self.reading.tokens
        edits: list[tuple[int, int, str]] = []
        is_event = clause.form in {Form.FINITE, Form.ING, Form.STATE}
        verb = tokens[clause.predicate] if is_event and clause.predicate < clause.last else None
        if verb is not None and clause.subjects:
            edits += self._verbs(clause, verb)
        base = lemma(verb.low, "VERB") if verb else ""
        is_made_finite = (
            bool(edits) and agreement(clause.subjects, tokens, clause.predicate) == "VBZ"
        )
        singular = is_made_finite or (verb is not None and verb.tag in "VX" and (
            verb.low in {"is", "was", "has", "'s", "isn't"} or verb.low == inflect(base, "VBZ") != base
        ))  # fmt: skip
        subjects = {phrase.first for phrase in clause.subjects}
        if is_event:
            edits += self._bare_terms(clause)
        if clause.form is not Form.MODIFIER:
            for phrase in phrases_in(tokens, clause.first, clause.last):
                is_subject = phrase.first in subjects
                edits += self._article(phrase, is_singular=is_subject and singular, clause=clause)
        tokens = self.reading.tokens
        start, end = tokens[clause.first].start, tokens[clause.last - 1].end
        return _applied(self.reading.text, start, end, edits).strip()

    def _verbs(self, clause: Clause, verb: Token) -> list[tuple[int, int, str]]:
        """Return the -ing forms of a clause made finite: "dog running" → "dog runs"."""
        tokens = self.reading.tokens
        if clause.form is not Form.ING or verb.tag != "G" or clause.lead != clause.first:
            return []
        if clause.joint.lower() in {"with", "as"} or self._is_term(clause.subjects[0], "viewpoint"):
            return []
        if len(self.reading.text.split()) > _MOST_REFORMED:
            return []  # in a long note a participle is ambiguous
        subject = clause.subjects[0]
        if not subject.is_pronoun and not _is_surely_named(tokens, subject):
            return []  # "kids first time seeing snow"
        if any(t.low == "with" for t in tokens[clause.first : clause.predicate]):
            return []  # "a truck with one light working": ambiguous
        rest = tokens[clause.predicate + 1 : clause.last]
        joined = next((i for i, token in enumerate(rest) if token.low == "and"), len(rest) - 1)
        if any(t.tag == "G" for t in rest[joined + 2 :]):
            return []  # "a monk sweeping leaves and the wind bringing them back"
        tag = agreement(clause.subjects, tokens, clause.predicate)
        places = [clause.predicate]
        places += [
            at + 1
            for at in range(clause.predicate + 1, clause.last - 1)
            if tokens[at].low == "and" and tokens[at + 1].tag == "G"
        ]
        return [(tokens[at].start, tokens[at].end, _finite(tokens[at].low, tag)) for at in places]

    def _bare_terms(self, clause: Clause) -> list[tuple[int, int, str]]:
        """Return "in" before a pace that follows the predicate: "a shell in slow motion"."""
        tokens = self.reading.tokens
        start, end = tokens[clause.predicate].start, tokens[clause.last - 1].end
        found = []
        for term in self.reading.terms:
            words = self.reading.text[term.start : term.end].lower()
            before = self.reading.text[: term.start].rstrip().rpartition(" ")[2].lower()
            is_bare = words.endswith("motion") and not words.startswith("in ")
            is_bare = is_bare and before not in word_list("prepositions")
            if term.field == "pace" and is_bare and start < term.start and term.end <= end:
                found.append((term.start, term.start, "in "))
        return found

    def _article(
        self, phrase: NounPhrase, *, is_singular: bool, clause: Clause
    ) -> list[tuple[int, int, str]]:
        tokens = self.reading.tokens
        found: list[tuple[int, int, str]] = []
        again = phrase.noun in self._named
        self._named |= {phrase.noun, *([phrase.inner.noun] if phrase.inner else [])}
        if (
            tokens[phrase.head].low == "camera"
            and not phrase.determiner
            and phrase.core == phrase.head
            and (not phrase.core or tokens[phrase.core - 1].low not in MOUNTED)
        ):
            return [*found, (tokens[phrase.core].start, tokens[phrase.core].start, "the ")]
        is_subject = phrase.first in {one.first for one in clause.subjects}
        if (not is_subject and self._is_fixed(phrase)) or not takes_article(
            tokens, phrase, is_singular=is_singular
        ):
            return found
        if _is_bare(tokens, phrase) or _follows_one(tokens, phrase):
            return found
        if not _is_surely_named(tokens, phrase):
            self.is_sure = False
            return found
        start = tokens[phrase.core].start
        if self._is_doubtful(phrase):
            self.is_sure = False
            return found
        written = self.reading.text[start : tokens[phrase.last - 1].end]
        is_only = tokens[phrase.head].low in english("only_one") or tokens[
            phrase.core
        ].low in english("ordinals")
        word = "the" if is_only or (again and start and not phrase.looks) else _article_for(written)
        verb = lemma(tokens[min(clause.predicate, len(tokens) - 1)].low, "VERB")
        is_own = phrase.kind is EntityKind.BODY_PART and verb not in english("opening_verbs")
        if is_own and (
            phrase.first > clause.predicate or (is_subject and bool(self._done or self._current))
        ):
            word = self._possessive()
        first = tokens[phrase.core].text
        is_name = phrase.core < phrase.head and tokens[phrase.core + 1].text[:1].isupper()
        first = small(first) if not start and not is_name else first
        edit = (start, start + len(first), f"{word} {first}")
        self._edits += [edit] if not start else []
        return [*found, edit]

    def _is_doubtful(self, phrase: NounPhrase) -> bool:
        """Tell whether "a" before the phrase may be wrong: "a same bench", "a gloved hands"."""
        tokens = self.reading.tokens
        head, first = tokens[phrase.head], tokens[phrase.core]
        before = tokens[phrase.core - 1] if phrase.core else None
        begun = any(
            t.field in {"pace", "viewpoint", "time_of_day"} and t.start <= first.start < t.end
            for t in self.reading.terms
        )
        follows_word = before is not None and (
            before.tag in "NA" or (phrase.core == 1 and before.tag not in "IDCR.")
        )
        return (
            is_plural(head.low)
            or begun
            or follows_word
            or first.low in {"own", "such"}
            or first.low in english("paces")
            or not (
                "NOUN" in lemmas(head.low)
                or phrase.kind is not EntityKind.OTHER
                or head.low in english("picture_leads")
            )
        )

    def _is_fixed(self, phrase: NounPhrase) -> bool:
        """Tell whether the phrase is part of an idiom or a term, which takes no article."""
        head = self.reading.tokens[phrase.head]
        if any(t.start <= head.start and head.end <= t.end for t in self.reading.terms):
            first = self.reading.tokens[phrase.core]
            return any(t.start <= first.start < t.end for t in self.reading.terms)
        return False

    def _is_term(self, phrase: NounPhrase, field: str) -> bool:
        head = self.reading.tokens[phrase.head]
        return any(
            t.field == field and t.start <= head.start and head.end <= t.end
            for t in self.reading.terms
        )

    def _possessive(self) -> str:
        lead = next((e for e in self.reading.scene.cast if e.is_lead), None)
        if lead is None or lead.kind not in {
            EntityKind.PERSON,
            EntityKind.ANIMAL,
            EntityKind.ROBOT,
        }:
            return "the"
        return "its" if lead.kind is not EntityKind.PERSON and lead.count == 1 else "their"


def _applied(text: str, start: int, end: int, edits: Sequence[tuple[int, int, str]]) -> str:
    """Return ``text[start:end]`` with the edits that do not overlap."""
    made, at = "", start
    for begin, stop, new in sorted(set(edits)):
        if begin >= at:
            made += text[at:begin] + new
            at = stop
    return made + text[at:end]


def _is_bare(tokens: Sequence[Token], phrase: NounPhrase) -> bool:
    """Tell whether the phrase takes no article: "block by block", "the first ever butterfly"."""
    at, core = phrase.head, phrase.core
    near = [tokens[i].low for i in (at - 2, at + 2) if 0 <= i < len(tokens)]
    inside = core > 1 and tokens[core - 1].tag == "R" and tokens[core - 2].tag in "DA"
    return tokens[at].low in near or inside


def _is_surely_named(tokens: Sequence[Token], phrase: NounPhrase) -> bool:
    """Tell whether the phrase certainly names a thing: no "outside", "can you", "someone's"."""
    words = [token.low for token in tokens[phrase.core : phrase.head + 1]]
    before = tokens[phrase.core - 1].low if phrase.core else ""
    counted = english("bits") | english("picture_leads")
    is_known = (
        phrase.kind is not EntityKind.OTHER
        or bool(place_named(words[-1]))
        or words[-1] in counted
        or set(lemmas(words[-1])) == {"NOUN"}
    )
    is_owned = before.endswith(("'s", "s'")) or words[0].endswith(("'s", "s'"))
    is_led = before in {"upside", "half", "whole", "same", "opposite"}  # "sitting on upside boat"
    return is_known and not (is_owned or is_led or english("no_article_before") & set(words))


def _follows_one(tokens: Sequence[Token], phrase: NounPhrase) -> bool:
    """Tell whether the word before the phrase rules out an article: "a patch of sun"."""
    before = [token.low for token in tokens[max(phrase.core - 2, 0) : phrase.core]]
    if before[-1:] and before[-1] in english("before_bare_nouns"):
        return True
    return before[-1:] == ["of"] and before[0] in english("bits")


def _finite(verb: str, tag: str) -> str:
    base = lemma(verb, "VERB")
    return inflect(base, "VBZ") if tag == "VBZ" else base


def _article_for(written: str) -> str:
    if re.match(r"u[a-z]?\d", written, re.IGNORECASE):
        return "a"
    if re.match(r"[FHLMNRSX][B-DF-HJ-NP-TV-Z]{1,3}\b", written):
        return "an"  # spoken letter by letter: "an FPV drone"
    return article(written)


def _adverbial(body: str) -> str:
    """Return a modifier as an adverbial: "night" → "at night"; empty for other modifiers."""
    low = body.lower()
    first = low.split()[0]
    if low in _IN_THE:
        return f"in the {body}"
    if low in _AT:
        return f"at {body}"
    if first in word_list("prepositions") or first in {"slowly", "quickly"}:
        return f"{body[:1].lower()}{body[1:]}"
    if _IN.match(low) and len(low.split()) <= 3:
        return (
            f"in the {body}"
            if low.split()[-1] in {"rain", "fog", "snow", "mist", "wind"}
            else f"in {body}"
        )
    return ""


def _ended(text: str) -> str:
    text = text.rstrip(" ,;:")
    return text if text.endswith((".", "!", "?", "…", '"')) else f"{text}."
