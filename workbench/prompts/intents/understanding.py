"""Understands a request: parses it into wishes, turns each into actions, names what it could not place.

Exact forms of the session (render settings, undo, versions) are read by rules first; everything else by
the learned parser. A wish that the parser is not sure of is not carried out and is said so. Nothing here
changes a prompt: what is understood is a list of actions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from workbench.actions.carrying import carry_out, held_by_locks
from workbench.actions.model import (
    Action,
    AddBeat,
    AddEntity,
    ChangeBeat,
    EditEntity,
    EditField,
    Explain,
    SetRender,
)
from workbench.errors import InvalidRequest
from workbench.lexicon.datafiles import english
from workbench.prompts.intents import (
    addition_intents,
    corrections,
    event_intents,
    identity_intents,
    keeping,
    look_intents,
    number_intents,
    questions,
    removal_intents,
    scene_intents,
    session_intents,
)
from workbench.prompts.intents.candidates import Candidate, Wish
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.guards import is_question, is_sound
from workbench.prompts.intents.requests import (
    clean,
    correction_in,
    mended,
    without_politeness,
    written_out,
)
from workbench.prompts.intents.translating import english_of, is_other_language, is_strange
from workbench.prompts.intents.words import determiners, is_known, words_of
from workbench.prompts.parsing.clauses import Clause, Parse, Slot, words_in
from workbench.scene import Scene

__all__ = ["ASIDE", "THRESHOLD", "Missed", "Understanding", "understand"]

THRESHOLD: Final = 0.5
"""The sureness below which a wish is not carried out."""
_EXACT: Final = 0.9
_MILD: Final = 0.45
_HARMLESS: Final = frozenset(
    ["style", "palette", "light", "mood", "era", "camera", "shot", "viewpoint", "sound", "keep"]
)
"""Labels that add to how a scene is shown: a doubtful one does little harm, and needs less sureness."""
_KEEPS: Final = re.compile(
    r"\b(?:stays?|keep|same|leave|remains?|untouched|as (?:is|before|it was))\b", re.IGNORECASE
)
_HELPED: Final = 0.3
"""The same for a wish that is only answered with what would help."""
ASIDE: Final = "aside"
"""What words are missed as that stand beside wishes that were carried out."""
_WISHES: Final[Mapping[str, Wish]] = {
    **look_intents.WISHES,
    **identity_intents.WISHES,
    **number_intents.WISHES,
    **addition_intents.WISHES,
    **removal_intents.WISHES,
    **event_intents.WISHES,
    **scene_intents.WISHES,
    **session_intents.WISHES,
    **keeping.WISHES,
}


@dataclass(frozen=True, slots=True)
class Missed:
    """Words that were not understood, and as what they were taken, if as anything."""

    words: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a request asks for."""

    actions: tuple[Action, ...] = ()
    scene: Scene = field(default_factory=Scene.empty)
    """The scene with the actions carried out, as far as they change scenes."""
    missed: tuple[Missed, ...] = ()
    """Parts that were not understood."""
    helps: tuple[str, ...] = ()
    """Why what was understood cannot be done, and what would help."""
    kept: frozenset[str] = frozenset()
    """Fields that the request wants unchanged."""
    locked: tuple[str, ...] = ()
    """Locked fields that kept an action from being carried out."""
    already: bool = False
    """Whether something was asked that is true already."""
    is_foreign: bool = False
    """Whether the request is in another language, and was not read."""
    answered: bool = False
    """Whether a question was answered."""

    @property
    def is_understood(self) -> bool:
        """Whether any part was understood."""
        return bool(self.actions or self.kept or self.locked or self.already or self.helps)


def understand(request: str, context: Context) -> Understanding:
    """Return what ``request`` asks for in ``context``."""
    text = clean(request)
    english_text = english_of(text) if is_strange(text) else None
    if english_text is not None:
        text = english_text
    elif is_other_language(text) or _is_strange(text):
        setting = session_intents.settings_within(text, context)
        read = [(text, setting)] if setting is not None else []
        done = _outcome(read, [Missed(text)], context)
        return replace(done, is_foreign=True)
    typed = mended(text, _words_of(context))
    from workbench.prompts.parsing.network import network  # noqa: PLC0415  brings numpy

    parse = network().parse(typed, context.prompt)
    text = written_out(typed)
    if _only_asks(parse):
        answer = questions.answered(text, context)
        if answer is None and parse.clauses and all(c.label == "thanks" for c in parse.clauses):
            answer = Explain(question=text, answer=questions.WELCOME)
        if answer is not None:
            return Understanding((answer,), context.scene, answered=True)
    bare = without_politeness(text)
    exact = (
        session_intents.ruled(bare, context)
        or scene_intents.established(bare, context)
        or look_intents.described(bare, context)
    )
    if exact is not None and exact.score >= _EXACT:
        return _outcome([(text, exact)], [], context)
    is_correction, rest = correction_in(text)
    if is_correction and (corrected := _correction(rest, context)) is not None:
        return _outcome([(text, corrected)], [], context)
    return _carried(parse, context)


_ASKS: Final = re.compile(
    r"(?:why|who|whose|where|how many|what(?:'s| is| are| does| did))\b|"
    r"(?:is|are|was|were|does|do|did) (?!it possible|there (?:a|any) (?:way|chance))(?:the|there|it|he|she|they|this|you)\b",
    re.IGNORECASE,
)


def _only_asks(parse: Parse) -> bool:
    """Tell whether a request asks for no change, as far as is sure."""
    wishes = [c for c in parse.clauses if c.label not in {"question", "thanks"}]
    is_asked = is_question(parse.text) or bool(_ASKS.match(parse.text))
    return is_asked or not any(c.sureness >= THRESHOLD for c in wishes)


def _words_of(context: Context) -> frozenset[str]:
    texts = [context.prompt, *(e.phrase for e in context.scene.cast), context.scene.setting]
    return frozenset(w.lower() for text in texts for w in re.findall(r"[\w'-]+", text))


def _correction(text: str, context: Context) -> Candidate | None:
    """Return ``text`` read as another value for what the last request changed."""
    bare = without_politeness(text)
    found = [c for c in corrections.candidates(bare, context, []) if is_sound(c, bare, context)]
    return max(found, key=lambda one: one.score, default=None)


def _carried(parse: Parse, context: Context) -> Understanding:
    """Turn each clause into actions, in order; each sees the scene after those before it."""
    read: list[tuple[str, Candidate]] = []
    missed: list[Missed] = []
    here = context
    for clause in parse.clauses:
        if clause.label == "thanks":
            continue
        if clause.label == "question":
            answer = questions.answered(f"{written_out(clause.text)}?", here)
            wish = _bare(clause.text, here) if answer is None else None
            if wish is not None:
                read.append((clause.text, wish))
                here = _after(wish, here)
            elif answer is None:
                missed.append(Missed(clause.text, clause.label))
            else:
                read.append((clause.text, Candidate((answer,), clause.sureness, intent="question")))
            continue
        candidate = _wished(clause, here) or _bare(clause.text, here)
        if candidate is None or candidate.says_nothing:
            missed.append(Missed(clause.text, clause.label))
            continue
        read.append((clause.text, candidate))
        here = _after(candidate, here)
    for words in _left_over(parse):
        candidate = _bare(words, here)
        if candidate is not None:
            read.append((words, candidate))
            here = _after(candidate, here)
        else:
            is_aside = bool(read) and not _strange_in(words)
            missed.append(Missed(words, ASIDE if is_aside else ""))
    return _outcome(read, missed, context)


def _bare(text: str, context: Context) -> Candidate | None:
    """Return a part that the parser does not place, where it can only be one thing by its form."""
    said = without_politeness(written_out(text))
    made = (
        scene_intents.established(said, context)
        or look_intents.described(said, context)
        or addition_intents.shown(said, context)
    )
    for label, slot, form in _PLAIN:
        found = form.fullmatch(said) if made is None else None
        if found is not None:
            clause = Clause(label, said, 0, 1, (Slot(slot, found[1], 0, 1),), 0.75)
            made = _WISHES[label](clause, context)
    unseen = _NOT_SEEN.search(said)
    if made is None and unseen is not None:
        made = removal_intents.removed(unseen[1], 0.75, context)
    if made is None and _SENSES.search(text):
        return Candidate(help=_NO_SENSE, score=1.0)
    return made if made is not None and is_sound(made, said, context) else None


_PLAIN: Final = (
    ("more", "entity", re.compile(r"(?:a lot |way |some |many )?more ((?!than\b)[\w' -]+)", re.IGNORECASE)),
    ("count", "number", re.compile(r"(?:make (?:it|that|them) |about |around |exactly |only |just )+(\d{1,3})(?: of them)?", re.IGNORECASE)),
)  # fmt: skip
_NOT_SEEN: Final = re.compile(
    r"\b(?:not|don't|never|no) (?:see|show|seeing|showing|have|want) (?:any |the )?([\w' -]{3,40})",
    re.IGNORECASE,
)
_SENSES: Final = re.compile(r"\b(?:smells?|tastes?|stinks?|scent)\b", re.IGNORECASE)
_NO_SENSE: Final = "A video shows neither smell nor taste. Say what is seen of it instead, such as steam that rises."


def _wished(clause: Clause, context: Context) -> Candidate | None:
    """Return what a clause asks for; None where that is not sure, or makes no sense here."""
    is_kept = clause.label == "keep" and _KEEPS.search(clause.text)
    least = (
        _HELPED
        if is_kept or scene_intents.is_established(clause) or clause.label in {"vague", "rewrite"}
        else _MILD
        if clause.label in _HARMLESS
        else THRESHOLD
    )
    if _SENSES.search(clause.text):
        return Candidate(help=_NO_SENSE, score=clause.sureness)
    if clause.sureness < least or _is_strange(clause.text) or _is_cut_wrong(clause):
        return None
    if clause.label == "size" and _GROWS.fullmatch(clause.text):
        clause = replace(clause, label="look")  # "make it smaller" is about what is seen
    clause = replace(
        clause,
        text=written_out(clause.text),
        slots=tuple(
            replace(slot, text=re.sub(r"(?<=\w)(?:'s| is| are)$", "", written_out(slot.text)))
            for slot in clause.slots
        ),
    )
    candidate = _WISHES[clause.label](clause, context)
    if candidate is None or not is_sound(candidate, clause.text, context):
        return None
    return candidate


_GROWS: Final = re.compile(
    r"(?:make|have) (?:it|him|her|them|the \w+) (?:a bit |much |way |even )*(?:bigger|smaller|larger)",
    re.IGNORECASE,
)


_MODAL: Final = re.compile(
    r"\b(?:should|must|shouldn't|mustn't|needs? to|has to|have to)\b", re.IGNORECASE
)


def _is_cut_wrong(clause: Clause) -> bool:
    """Tell whether a slot that names something holds a verb: then the clause was cut in a wrong place."""
    for slot in clause.slots:
        low = slot.text.lower()
        if slot.name in {"entity", "actor"} and low in words_of("verbs", "commands"):
            return True
        if slot.name in _NAMING and (_MODAL.search(low) or low in determiners() - _ALONE):
            return True
        if slot.name in _NAMING - {"place"} and _OBJECT.search(low):
            return True
    return False


_NAMING: Final = frozenset(["entity", "actor", "new", "place", "a", "b"])
_OBJECT: Final = re.compile(r"\w+ (?!of )\w+ (?:him|it|them|he|she|they)$")
_ALONE: Final = frozenset(
    ["his", "her", "this", "that", "these", "those", "both", "all", "each", "one"]
)


def _strange_in(text: str) -> list[str]:
    """Return the words of ``text`` that English does not have, as far as is known."""
    words = [w.text.lower() for w in words_in(text) if w.text.isalpha() and len(w.text) > 2]
    from workbench.prompts.parsing.vectors import vectors  # noqa: PLC0415  brings numpy

    known = vectors()[0]
    return [
        w
        for w in words
        if w not in known and not is_known(w) and written_out(w) == w and w not in _TALK
    ]


def _is_strange(text: str) -> bool:
    """Tell whether most words are none that English has: another language, or a slip of the hand."""
    words = [w for w in words_in(text) if w.text.isalpha()]
    strange = _strange_in(text)
    if any(len(w) > 3 and not set(w) & set("aeiouy") for w in strange):
        return True
    return len(strange) > 1 and len(strange) * 2 >= len(words)


def _left_over(parse: Parse) -> list[str]:
    """Return the runs of words that stand outside every clause and mean something."""
    covered = {at for clause in parse.clauses for at in range(clause.start, clause.end)}
    runs: list[list[int]] = []
    for at in range(len(parse.words)):
        if at in covered:
            continue
        if runs and runs[-1][-1] == at - 1:
            runs[-1].append(at)
        else:
            runs.append([at])
    made: list[str] = []
    for run in runs:
        words = [parse.words[at] for at in run]
        said = [w for w in words if _means_something(w.text)]
        text = parse.text[words[0].start : words[-1].end].strip(" ,.;!-")
        is_said = len(said) > 1 or (said and not parse.clauses)
        if is_said and not questions.is_small_talk(text):
            made.append(text)
    return made


_TALK: Final = frozenset(
    [
        "please",
        "pls",
        "plz",
        "thanks",
        "thx",
        "lol",
        "haha",
        "ok",
        "okay",
        "yes",
        "yeah",
        "no",
        "nope",
        "hmm",
        "hey",
        "hi",
        "love",
        "like",
        "nice",
        "great",
        "good",
        "cool",
        "looks",
        "same",
        "perfect",
        "think",
        "guess",
        "maybe",
        "actually",
        "wait",
        "sorry",
        "really",
        "just",
        "also",
        "then",
        "instead",
        "again",
        "better",
        "want",
        "need",
        "would",
        "could",
        "can",
        "make",
        "way",
        "much",
        "bit",
        "little",
        "idea",
        "one",
        "thing",
        "it's",
        "its",
        "that's",
        "thats",
        "i'm",
        "im",
        "wow",
        "nah",
        "oh",
        "well",
        "so",
        "almost",
        "there",
    ]
)


def _means_something(word: str) -> bool:
    low = word.lower()
    return low[:1].isalnum() and low not in english("function_words") and low not in _TALK


def _after(candidate: Candidate, context: Context) -> Context:
    """Return the context after a part: the scene with its actions, and who was spoken of."""
    try:
        scene = carry_out(candidate.actions, context.scene)
    except InvalidRequest:
        scene = context.scene
    focus: list[str] = []
    for action in candidate.actions:
        if isinstance(action, EditEntity):
            focus.append(action.entity)
        elif isinstance(action, AddEntity):
            focus.append(action.id)
        elif isinstance(action, AddBeat) and action.actor:
            focus.append(action.actor)
        elif isinstance(action, ChangeBeat):
            beat = next((b for b in scene.beats if b.id == action.beat), None)
            focus += [beat.actor] if beat is not None and beat.actor else []
    part = next((a.part for a in reversed(candidate.actions) if isinstance(a, AddBeat)), "")
    return replace(
        context, scene=scene, focus=tuple(dict.fromkeys([*focus, *context.focus])), part=part
    )


def _outcome(
    read: Sequence[tuple[str, Candidate]], missed: Sequence[Missed], context: Context
) -> Understanding:
    actions: list[Action] = []
    locked: list[str] = []
    helps: list[str] = []
    kept: set[str] = set()
    already = False
    for _, candidate in read:
        first = candidate.actions[0] if candidate.actions else None
        is_whole = isinstance(first, EditEntity) and first.aspect == "phrase"
        held = held_by_locks(first, context.scene) if first is not None and is_whole else ()
        locked += held
        if not held:
            actions += candidate.actions
        kept |= set(candidate.kept)
        already = already or candidate.already
        if candidate.help:
            helps.append(candidate.help)
    actions = _in_sequence(_as_one_setting(actions, read), read)
    actions = [a for a in actions if not (isinstance(a, EditField) and a.field in kept)]
    free: list[Action] = []
    for action in actions:
        held = held_by_locks(action, context.scene)
        locked += held
        if not held:
            free.append(action)
    scene = carry_out(free, context.scene)
    return Understanding(
        tuple(free), scene, tuple(missed), tuple(dict.fromkeys(helps)), frozenset(kept),
        tuple(dict.fromkeys(locked)), already,
    )  # fmt: skip


def _as_one_setting(
    actions: Sequence[Action], read: Sequence[tuple[str, Candidate]]
) -> list[Action]:
    """Join render settings; a value that was said counts more than a step: "longer, 10 s"."""
    said: dict[str, Any] = {}
    stepped: dict[str, Any] = {}
    for _, candidate in read:
        for action in candidate.actions:
            if isinstance(action, SetRender):
                into = stepped if candidate.intent == "setting_step" else said
                into |= action.values
    values = {**stepped, **said}
    if not values:
        return list(actions)
    first = next(i for i, a in enumerate(actions) if isinstance(a, SetRender))
    kept: list[Action] = [a for a in actions if not isinstance(a, SetRender)]
    kept.insert(min(first, len(kept)), SetRender(values=values))
    return kept


def _in_sequence(actions: Sequence[Action], read: Sequence[tuple[str, Candidate]]) -> list[Action]:
    """Join camera movements that one request asks for into a sequence: "orbit, then push in"."""
    moves = [
        a for a in actions if isinstance(a, EditField) and a.field == "camera_movement" and a.value
    ]
    values = list(dict.fromkeys(str(a.value) for a in moves))
    if len(values) < 2 or len(read) < 2:
        return list(actions)
    joined = EditField(field="camera_movement", value=", then ".join(values))
    kept = [a for a in actions if a not in moves]
    return [*kept, joined]
