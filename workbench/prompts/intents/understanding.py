"""Understands a request: parses it into clauses, turns each into actions, reports the rest.

Rules first read exact forms of session requests (render settings, undo, versions); the trained
parser reads everything else. A clause of low confidence is reported, not carried out. Nothing here
changes a prompt; the result is a list of actions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from workbench.actions.model import (
    Action,
    AddBeat,
    AddEntity,
    ChangeBeat,
    EditField,
    Explain,
    SetRender,
    Vary,
)
from workbench.prompts.intents import (
    addition_intents,
    corrections,
    look_intents,
    questions,
    render_intents,
    scene_intents,
    session_forms,
    session_intents,
)
from workbench.prompts.intents.alike import named_alike
from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.contradictions import is_kind
from workbench.prompts.intents.faithfulness import is_faithful, is_free
from workbench.prompts.intents.guards import is_question, is_sound
from workbench.prompts.intents.outcome import Missed, Understanding, outcome_of
from workbench.prompts.intents.own_words import choices_for, fixed_wish, stated, who_is_meant
from workbench.prompts.intents.remarks import AS_VERSIONS, VERSIONS, remark_help
from workbench.prompts.intents.replacing import removed_by_order, replaced
from workbench.prompts.intents.requests import (
    clean,
    correction_in,
    mended,
    without_politeness,
    written_out,
)
from workbench.prompts.intents.runs import runs_of, strays
from workbench.prompts.intents.strange_words import is_mostly_strange, means_something
from workbench.prompts.intents.taking import Reading, after
from workbench.prompts.intents.talk import is_beyond, is_talk, is_vague, parts_of, reason_at
from workbench.prompts.intents.translating import english_of, is_other_language, is_strange
from workbench.prompts.intents.verbatim import is_foreign_prompt, kept_verbatim
from workbench.prompts.intents.wishes import SUBORDINATE, THRESHOLD, WISHES, wished
from workbench.prompts.intents.words import is_known, is_noun
from workbench.prompts.parsing.clauses import Clause, Parse, Slot, words_in

__all__ = ["understand"]

_EXACT: Final = 0.9


def understand(request: str, context: Context) -> Understanding:
    """Return the actions, missed words and help for ``request`` in ``context``."""
    text = clean(request)
    asks = _ASKS_ABROAD.match(text)
    english_text = english_of(text) if is_strange(text) and not asks else None
    if english_text is not None:
        text = english_text
    elif is_other_language(text) or is_mostly_strange(text) or _answers_foreign(text, context):
        kept = kept_verbatim(text, context, lambda said: _sure_actions(said, context))
        if kept is not None:
            return outcome_of([(text, kept)], [], context)
        setting = render_intents.settings_within(text, context)
        read = [(text, setting)] if setting is not None else []
        done = outcome_of(read, [Missed(text)], context)
        return replace(done, is_foreign=True)
    typed = named_alike(mended(text, _words_of(context)), context.prompt)
    from workbench.prompts.parsing.network import network  # noqa: PLC0415  imports numpy

    parse = network().parse(typed, context.prompt)
    text = written_out(typed)
    if _only_asks(parse):
        answer = questions.answered(text, context)
        if answer is None and parse.clauses and all(c.label == "thanks" for c in parse.clauses):
            answer = Explain(question=text, answer=questions.WELCOME)
        if answer is not None:
            return Understanding((answer,), answered=True)
    bare = without_politeness(text)
    exact = (
        session_forms.ruled(bare, context)
        or scene_intents.established(bare, context)
        or look_intents.described(bare, context)
    )
    if exact is not None and exact.score >= _EXACT:
        return _whole(text, exact, context)
    is_correction, rest = correction_in(text)
    if is_correction and (corrected := _correction(rest, context)) is not None:
        return _whole(text, corrected, context)
    if VERSIONS.search(text):
        return outcome_of([(text, Candidate(help=AS_VERSIONS, score=1.0))], [], context)
    return _carried(parse, context)


_ASKS_ABROAD: Final = re.compile(
    r"(?:.*\s\?|(?:il|elle|est-ce|quel\w*|was|wie|ist|sind|hay|está|qué|cuánt\w*|c'è|piove|di che|como|qual|tem) .*\?)$",
    re.IGNORECASE,
)
"""A question in another language, not a request for a change."""


def _answers_foreign(text: str, context: Context) -> bool:
    """Tell whether a short request is in the language of a foreign prompt."""
    words = [w for w in words_in(text) if w.text.isalpha()]
    strange = [w for w in words if not is_known(w.text)]
    return 3 * len(strange) >= len(words) and is_foreign_prompt(context.prompt)


def _sure_actions(text: str, context: Context) -> tuple[tuple[Action, ...], bool]:
    """Return the actions of a translated part, and whether all of it was understood."""
    found = understand(
        text, replace(context, prompt="")
    )  # read as English, whatever the prompt's language
    return found.actions, found.is_understood and not found.missed


_ASKS: Final = re.compile(
    r"(?:why|who|whose|where|how many|what(?:'s| is| are| does| did))\b|"
    r"(?:is|are|was|were|does|do|did) (?!it possible|there (?:a|any) (?:way|chance))(?:the|there|it|he|she|they|this|you)\b",
    re.IGNORECASE,
)


def _only_asks(parse: Parse) -> bool:
    """Tell whether a request is a question or has no confident clause."""
    wishes = [c for c in parse.clauses if c.label not in {"question", "thanks"}]
    is_asked = is_question(parse.text) or bool(_ASKS.match(parse.text))
    return is_asked or not any(c.sureness >= THRESHOLD for c in wishes)


def _words_of(context: Context) -> frozenset[str]:
    texts = [context.prompt, *(e.phrase for e in context.scene.cast), context.scene.setting]
    return frozenset(w.lower() for text in texts for w in re.findall(r"[\w'-]+", text))


def _correction(text: str, context: Context) -> Candidate | None:
    """Return ``text`` read as a new value for what the last request changed."""
    bare = without_politeness(text)
    found = [c for c in corrections.candidates(bare, context, []) if is_sound(c, bare, context)]
    return max(found, key=lambda one: one.score, default=None)


def _whole(text: str, candidate: Candidate, context: Context) -> Understanding:
    """Return the understanding of a request that one candidate covers completely."""
    reading = Reading(context)
    _take(reading, text, candidate)
    return outcome_of(reading.read, reading.all_missed(), context)


def _take(reading: Reading, text: str, candidate: Candidate) -> None:
    """Take ``candidate`` into ``reading``, then read the words that it leaves."""
    for words in reading.take(text, candidate):
        _state(words, (), reading, is_whole=True)


def _carried(parse: Parse, context: Context) -> Understanding:
    """Turn each sentence of a request into actions, on the scene that the previous one leaves."""
    reading = Reading(context)
    for start, end in parts_of(parse.text):
        _read_part(parse, start, end, reading)
    return outcome_of(reading.read, reading.all_missed(), context)


def _read_part(parse: Parse, start: int, end: int, reading: Reading) -> None:
    """Read one sentence as an exact form, by its clauses, or in the user's own words."""
    cut = start + reason_at(parse.text[start:end])
    if cut < end and any(means_something(w.text) for w in words_in(parse.text[start:cut])):
        reading.asides.append(parse.text[cut:end].strip(" ,;"))
        end = cut
    start, end = _without_forms(parse.text, start, end, reading)
    text = parse.text[start:end].strip()
    said = written_out(text)
    if not said or _answers_itself(text, said, reading):
        return
    clauses = [
        c
        for c in parse.clauses
        if parse.words[c.start].start >= start and parse.words[c.end - 1].end <= end
    ]
    taken = _taken(clauses, said, reading)
    ahead = {c: parse.text[start : parse.words[c.start].start] for c in taken}
    if any(
        SUBORDINATE.search(words) or (words.strip() and SUBORDINATE.match(f"{c.text.split()[0]} "))
        for c, words in ahead.items()
    ):
        taken = {}  # a subordinate clause: the whole sentence is needed
    for run in runs_of(parse, start, end, taken):
        if isinstance(run, Clause):
            _take(reading, run.text, taken[run])
        else:
            _state(run, clauses, reading, is_whole=not taken)


_JOINT: Final = re.compile(
    r"\s*,\s*(?:and |but |then |so )*|\s+(?:and|but|then|so) |\s+(?=this is for |it's for |its for )",
    re.IGNORECASE,
)


def _without_forms(text: str, start: int, end: int, reading: Reading) -> tuple[int, int]:
    """Take exact session forms at the start and end of a sentence; return the remaining span."""
    while start < end:
        cuts = [start, *(start + m.end() for m in _JOINT.finditer(text[start:end]))]
        stops = [*(start + m.start() for m in _JOINT.finditer(text[start:end])), end]
        for begin, stop in dict.fromkeys(
            (
                (start, end),
                (start, stops[0]),
                (cuts[-1], end),
                (start, stops[min(1, len(stops) - 1)]),
            )
        ):
            made = _form(text[begin:stop], reading, is_whole=(begin, stop) == (start, end))
            if made is None:
                continue
            _take(reading, text[begin:stop].strip(), made)
            if begin == start and any(isinstance(a, Vary) for a in made.actions) and stop < end:
                reading.asides.append(text[stop:end].strip(" ,:"))
                return end, end
            start, end = (
                (end, end)
                if (begin, stop) == (start, end)
                else (start, stops[-2] if len(stops) > 1 else begin)
                if stop == end
                else (next((c for c in cuts if c >= stop), end), end)
            )
            break
        else:
            break
    return start, end


_GOING_ON: Final = re.compile(r"(?:go on|continue|carry on|proceed|keep going)\b", re.IGNORECASE)


def _form(text: str, reading: Reading, *, is_whole: bool) -> Candidate | None:
    """Return the candidate for an exact form; scene terms count only if ``is_whole``."""
    said = re.sub(r"^(?:nah|nope|hm+|oh|ugh)[ ,]+(?=\S)", "", text.strip(" ?"), flags=re.IGNORECASE)
    bare = without_politeness(written_out(said))
    if not bare or _GOING_ON.match(bare):
        return None
    made = session_forms.ruled(bare, reading.here)
    if made is None and is_whole:
        made = scene_intents.established(bare, reading.here) or look_intents.described(
            bare, reading.here
        )
    if made is None or made.score < _EXACT:
        return None
    is_length = any(isinstance(a, SetRender) and "seconds" in a.values for a in made.actions)
    return None if is_length and _HELD.search(text) else made


_HELD: Final = re.compile(
    r"\b(?:hold|holds|pause|pauses|wait|waits|nothing|freeze|freezes)\b", re.IGNORECASE
)


def _answers_itself(text: str, said: str, reading: Reading) -> bool:
    """Handle a sentence that asks for no specific change: talk, questions, vague requests."""
    if is_beyond(said):
        _take(reading, text, Candidate(help=_BEYOND, score=1.0))
    elif (fixed := fixed_wish(said, reading.here)) is not None:
        _take(reading, text, fixed)
    elif is_vague(said):
        _take(reading, text, Candidate(help=choices_for(reading.here), score=1.0))
    elif (
        re.fullmatch(r"and [\w' ]+\?", said, re.IGNORECASE)
        or (is_talk(said) and not _is_complaint(said, reading.here))
        or questions.is_small_talk(said)
    ):
        reading.asides.append(text)
    elif (answer := questions.answered(said, reading.here)) is not None:
        _take(reading, text, Candidate((answer,), 1.0, intent="question"))
    else:
        return False
    return True


def _is_complaint(said: str, here: Context) -> bool:
    """Tell whether ``said`` complains of too much of something that has an opposite."""
    return " too " in said and "says what is wrong" in remark_help(said, here.prompt)


_BEYOND: Final = (
    "That cannot be done here: requests change the prompt, the render and the session. "
    "Nothing was changed."
)


def _taken(clauses: Sequence[Clause], said: str, reading: Reading) -> dict[Clause, Candidate]:
    """Return the clauses to carry out, with their candidates; the words of the others are kept.

    Clauses on content and events depend on each other: if one of a sentence is uncertain, all of
    them are stated in the user's words.
    """
    here = reading.here
    found: dict[Clause, Candidate] = {}
    sure = sum(c.label in _TELLING for c in clauses) < 2
    for clause in clauses:
        candidate = None if clause.label in {"thanks", "question"} else wished(clause, here)
        if clause.label == "keep" and _LEFT_ALONE.match(clause.text):
            candidate, sure = None, False
        if clause.label == "seconds" and _HELD.search(said):
            candidate = None  # "hold for 2 s" is not a length
        if clause.label in {"camera", "viewpoint", "shot", "swap"} and replaced(clause.text, here):
            candidate = None
        if (
            candidate is not None
            and not candidate.says_nothing
            and is_faithful(candidate, clause, here)
            and not (is_kind(clause.text) and _changes_act(candidate))
            and not (_tells(candidate) and remark_help(clause.text, here.prompt))
        ):
            found[clause] = candidate
            here = after(candidate, here) or here
            continue
        sure = sure and clause.label not in _TELLING
    twice = _set_twice(found)
    if twice:
        found = {c: one for c, one in found.items() if c not in twice}
    elif sure and not strays(clauses, said):
        return found
    filmed = [c for c in clauses if c.label in {"camera", "viewpoint", "shot"}]
    if any(c not in found for c in filmed):
        found = {c: one for c, one in found.items() if c not in filmed}
    is_whole = len(found) == len(clauses) and not strays(clauses, said)
    return {
        c: one
        for c, one in found.items()
        if not (c.label in _TELLING and _tells(one)) and (is_whole or not is_free(one))
    }


def _changes_act(candidate: Candidate) -> bool:
    return any(isinstance(a, ChangeBeat) for a in candidate.actions)


def _tells(candidate: Candidate) -> bool:
    """Tell whether a candidate adds or changes a sentence."""
    return any(isinstance(a, AddBeat | AddEntity | ChangeBeat) for a in candidate.actions)


def _set_twice(found: Mapping[Clause, Candidate]) -> list[Clause]:
    """Return the clauses that set the same field, at least one of them in free words."""
    by_field: dict[str, list[Clause]] = {}
    for clause, candidate in found.items():
        for action in candidate.actions:
            if isinstance(action, EditField) and action.field not in {"negative_prompt", "details"}:
                by_field.setdefault(action.field, []).append(clause)
    return [
        c
        for field, those in by_field.items()
        if len(those) > 1 and field != "camera_movement" and any(is_free(found[c]) for c in those)
        for c in those
    ]


_LEFT_ALONE: Final = re.compile(
    r"(?:only|just) (?:he|she|it|they|the \w+) (?:stays?|remains?)\b", re.IGNORECASE
)
"""An event ("only she stays"), not a request to keep her."""


_TELLING: Final = frozenset(
    ["event", "instead", "stop", "how", "add", "look", "position", "more", "fewer", "swap", "text"]
)


_ALSO: Final = re.compile(r"(?:then |and )*(?:re)?[a-z]{3,}(?:s|es)(?: again| too)?")
"""A lone verb after another of the same actor: "drops it, regrasps"."""
_COUNTED: Final = re.compile(
    r"(?:make (?:it|that|them) |about |around |exactly |only |just )+(\d{1,3})(?: of them)?",
    re.IGNORECASE,
)
_SHORT: Final = 8
"""Maximum words of a bare noun phrase that becomes "there is …"."""


def _state(text: str, clauses: Sequence[Clause], reading: Reading, *, is_whole: bool) -> None:
    """Read words outside all clauses in the user's own words."""
    said = written_out(text)
    meaning = [w.text for w in words_in(said) if means_something(w.text)]
    is_also = _ALSO.fullmatch(said) and not is_noun(said.split()[-1])
    if is_also and (who := who_is_meant(reading.here)):
        said = f"{who} {said}"
    if (
        (is_talk(said) and not _is_complaint(said, reading.here))
        or is_vague(said)
        or questions.is_small_talk(said)
        or not (is_whole or (meaning and " " in said))
    ):
        reading.asides.append(text)
        return
    if told := remark_help(said, reading.here.prompt):
        swapped = removed_by_order(said, reading.here) or replaced(said, reading.here)
        _take(reading, text, swapped or Candidate(help=told, score=1.0))
        return
    counted = _COUNTED.fullmatch(without_politeness(said))
    number = (Slot("number", counted[1], 0, 1),) if counted is not None else ()
    made = (
        (
            WISHES["count"](Clause("count", said, 0, 1, number, 0.75), reading.here)
            if number
            else None
        )
        or session_intents.kept(said, reading.here)
        or removed_by_order(said, reading.here)
        or replaced(said, reading.here)
        or (addition_intents.shown(said, reading.here) if len(said.split()) <= _SHORT else None)
        or stated(said, clauses, reading.here, reading.spoken)
    )
    pronoun = re.match(r"(he|she|they)\b", said, re.IGNORECASE)
    reading.spoken = pronoun[1].lower() if pronoun is not None else reading.spoken
    if made is not None and not is_mostly_strange(text):
        _take(reading, text, made)
        return
    label = next((c.label for c in clauses if c.text in text), "")
    reading.missed.append(Missed(text, label))
