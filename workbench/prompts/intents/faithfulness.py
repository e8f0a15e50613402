"""Checks that actions express all of a request, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from workbench.actions.carrying import held_by_locks
from workbench.actions.model import (
    AddBeat,
    AddEntity,
    EditEntity,
    EditField,
    SceneAction,
)
from workbench.errors import InvalidRequest
from workbench.lexicon.datafiles import english
from workbench.lexicon.terms import find_terms
from workbench.lexicon.words import sentences
from workbench.prompts.composer.composer import scene_of
from workbench.prompts.composer.editing import written
from workbench.prompts.enacting import Enacted, enact
from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.requests import without_politeness, written_out
from workbench.prompts.intents.stating import statement
from workbench.prompts.intents.words import (
    determiners,
    lemma,
    lemmas,
    number_in,
    place_named,
    words_of,
)
from workbench.prompts.parsing.clauses import Clause
from workbench.scene import canonical_term

__all__ = ["EVIDENCE", "NO_VALUE", "is_faithful", "is_free"]

_WORD: Final = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")


_NEGATION: Final = re.compile(
    r"n't\b|\b(?:not|never|no|nobody|nothing|none|without|neither|nor)\b", re.IGNORECASE
)


EVIDENCE: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(rf"\b(?:{words})", re.IGNORECASE)
    for name, words in {
        "lighting": r"light|lit\b|lamp|lantern|sun|glow|shadow|candle|torch|neon|backlit|silhouette|bright|dark|dim|flicker|ray|beam|moon|spot|exposure|contrast|strobe|fire",
        "camera_movement": r"camera|cam\b|pan|tilt|orbit|zoom|push|pull|dolly|track|crane|handheld|hand-held|follow|fly|rise|rising|whip|drift|circl|static|lock|slide|swoop|start|begin|open on|steadicam|drone|gimbal|skim|climb|land on|rack|move|stay",
        "shot_size": r"close|wide|macro|medium|full|shot|fram|crop|fill|tight|extreme|establish|angle|low|high",
        "camera_angle": r"angle|low|high|above|below|overhead|top|eye|ground|down|up",
        "viewpoint": r"view|pov|seen|camera|cam\b|through|eye|perspective|from|angle|person|dashcam|drone|inside",
        "lens": r"lens|mm|focus|bokeh|fisheye|wide|tele|macro|depth|blur|sharp|anamorphic|tilt",
        "style": r"style|look|film|grain|like|as\b|anime|paint|draw|sketch|cartoon|photo|vhs|\d+ ?mm|retro|noir|watercolou?r|print|cut|clay|felt|lego|pixel|bit\b|comic|document|cinematic|aesthetic|etching|woodcut|shot on|camcorder|movie|pastel|oil|ink|pencil|storybook|puppet|stop|3d|vintage|old|realis|photoreal",
        "color_palette": r"colou?r|palette|tone|pastel|muted|saturat|monochrom|sepia|red|green|blue|yellow|black|white|grey|gray|brown|orange|pink|purple|teal|gold|silver|mint|indigo|rust|beige|warm|cool|neon|amber|earth|cream",
        "pace": r"slow|fast|speed|pace|motion|lapse|loop|real|quick|rhythm|tempo|frozen|freeze|rush",
    }.items()
}
"""Words that show that a free value belongs to its field."""


_PLACING: Final = re.compile(
    r"\b(?:in|at|on|to|by|near|along|beside|outside|inside|into|set|move|place|setting|location|background|under|through|across)\b",
    re.IGNORECASE,
)


def is_faithful(candidate: Candidate, clause: Clause, context: Context) -> bool:
    """Tell whether the prompt after ``candidate`` says all of ``clause``, and nothing else."""
    told = [a for a in candidate.actions if isinstance(a, SceneAction)]
    if not told or any(held_by_locks(one, context.scene) for one in told):
        return True
    try:
        done = enact(context.prompt, context.scene, told, scene_of=scene_of)
    except InvalidRequest:
        return False
    text = written_out(clause.text)
    if any(
        s.name in {"entity", "actor"} and s.text.lower().startswith("by ") for s in clause.slots
    ):
        return False
    if any(isinstance(a, AddBeat | AddEntity) for a in told):
        return _says_the_same(text, clause, context, done)
    if any(isinstance(a, EditEntity) and not _is_apt(a, text) for a in told):
        return False
    fields = [a for a in told if isinstance(a, EditField)]
    if any(not _is_evident(a, clause) for a in fields):
        return False
    if fields and len(fields) == len(told) and _is_terms(text, fields):
        return True
    return _covers(text, context, done, is_denied=not clause.slot("old"))


def _says_the_same(text: str, clause: Clause, context: Context, done: Enacted) -> bool:
    """Tell whether the new sentences are in the user's words, apart from names for pronouns."""
    before = {one.rstrip(".!") for one in sentences(context.prompt)}
    own = written(done.scene)
    fresh = [s for s in sentences(done.prompt) if s.rstrip(".!") not in before and s not in own]
    plain = statement(text, context.prompt)
    said = [w for w in _tokens(" ".join(fresh)) if not _is_small(w)]
    want = [w for w in _tokens(plain) if not _is_small(w)]
    act = next(iter(_tokens(clause.slot("act"))), "")
    if clause.label == "add" and act:  # "an alien walking": "An alien walks."
        said, want = (
            [lemma(act, "VERB") if lemma(w, "VERB") == lemma(act, "VERB") else w for w in words]
            for words in (said, want)
        )
    names = {w for e in done.scene.cast for w in _tokens(e.phrase)}
    is_close = 0 <= len(said) - len(want) <= _NAMED
    if want and is_close and [w for w in said if w in want or w not in names] == want:
        is_linked = bool(_LINKED.search(text)) or not any(
            re.search(r"\b(?:is|are)\b", one) and not one.startswith("There ") for one in fresh
        )
        return is_linked and not any(re.match(r"The (?:it|they|he|she)\b", one) for one in fresh)
    slots = [
        w for s in clause.slots if s.name != "old" for w in _tokens(s.text) if not _is_small(w)
    ]
    is_led = clause.label == "look" and bool(_LINKED.search(text))
    return is_led and [w for w in said if w in slots or w not in {*names, "is", "are"}] == slots


_LINKED: Final = re.compile(
    r"\b(?:make|should|is|are|be|must|needs?|has to|have to|looks?|turn|get|was|paint|colou?r)\b|'s\b",
    re.IGNORECASE,
)


_NAMED: Final = 2
"""Maximum extra words of a name that replaces "it" or "he"."""


def _tokens(text: str) -> list[str]:
    return [w.lower() for w in _WORD.findall(text)]


def _is_small(word: str) -> bool:
    return word in determiners() or word in words_of("misc", "pronouns") or word in _JOINING


_JOINING: Final = frozenset(["and", "there", "is", "are", "many", "more"])


def _is_apt(action: EditEntity, text: str) -> bool:
    """Tell whether an edit of an entity fits the wording of the request."""
    value = str(action.value or "")
    if action.aspect == "phrase":
        if re.search(r"\babout\b|\d|\bi mean\b", value + text):
            return False
        return not re.match(r"(?:please )?(?:give|hand|let|have|get)\b", text, re.IGNORECASE)
    if re.match(r"(?:with|holding)\b", value):
        has = r"\b(?:with|has|have|had|having|give|gets?|got|add|wears?|hold|holds|holding|carr\w+|his|her|its|their|need|needs|put|in)\b"
        return bool(re.search(has, text, re.IGNORECASE)) or "'s" in text
    return True


def _is_evident(action: EditField, clause: Clause) -> bool:
    """Tell whether a free value clearly belongs to its field."""
    value = action.value
    if not isinstance(value, str) or not value or action.field in {"negative_prompt", "details"}:
        return True
    if canonical_term(action.field, value) is not None:
        return True
    if action.field == "setting" and clause.label in {"season", "era"}:
        return True
    if action.field == "setting":
        head = value.split(" of ")[0].split()[-1]
        is_placed = bool(_PLACING.search(clause.text)) or place_named(head) is not None
        return is_placed and not re.search(
            r"\blike\b(?! winter| summer| autumn| spring)", clause.text
        )
    is_name = value[:1].isupper() or clause.sureness > _SURE
    if action.field == "style" and len(value.split()) <= 4 and is_name:
        return True
    if (
        re.match(NO_VALUE[action.field], value, re.IGNORECASE)
        if action.field in NO_VALUE
        else False
    ):
        return False
    pattern = EVIDENCE.get(action.field)
    return pattern is None or bool(pattern.search(value))


_SURE: Final = 0.7


NO_VALUE: Final = {
    "camera_movement": r"(?:never|not?|don't|do not|we|i|you|can)\b|see\b",
    "color_palette": r"(?:everything|everyone|all|the|his|her|its|their|an?|only)\b|(?:more|less) \w+ (?!tones?|colou?rs?|palette|and|but)\w+",
}
"""Beginnings of a statement, not of a field's value."""


def _is_terms(text: str, fields: Sequence[EditField]) -> bool:
    """Tell whether ``text`` consists of the terms and steps that ``fields`` set."""
    values = [str(a.value) for a in fields]
    if any(v and canonical_term(a.field, v) is None for a, v in zip(fields, values, strict=True)):
        return False
    rest = text
    for term in reversed(find_terms(text)):
        rest = rest[: term.start] + rest[term.end :]
    left = [w for w in _content(rest) if not _is_step(w)]
    return not left or (len(left) < 3 and len(_tokens(text)) < 5)


def _is_step(word: str) -> bool:
    return word.endswith(("er", "est")) and lemma(word, "ADJ") != word


def _content(text: str) -> list[str]:
    skipped = (
        words_of("closed", "saying") | english("function_words") | words_of("verbs", "commands")
    )
    return [w for w in _tokens(text) if w not in skipped and not _is_small(w)]


def _covers(text: str, context: Context, done: Enacted, *, is_denied: bool) -> bool:
    """Tell whether the prompt, before or after, has every content word of ``text``."""
    said = f"{context.prompt} {done.prompt} {done.scene.negative_prompt}"
    said += " " + " ".join(str(v) for v in done.scene.values().values())
    have = {form for w in _tokens(said) for form in _forms(w)}
    bare = without_politeness(text)
    set_now = [t for t in find_terms(bare) if getattr(done.scene, t.field, "") == t.term]
    terms = {w for t in set_now for w in _tokens(bare[t.start : t.end])}
    missing = [w for w in _content(bare) if w not in terms and not _forms(w) & have]
    if missing:
        return False
    is_barred = done.scene.negative_prompt != context.scene.negative_prompt
    is_less = len(done.prompt.split()) < len(context.prompt.split())
    is_denied = is_denied and bool(_NEGATION.search(bare))
    return not is_denied or is_barred or is_less or bool(_NEGATION.search(done.prompt))


def _forms(word: str) -> set[str]:
    number = number_in(word)
    own = {word, word.removesuffix("'s"), *(f for forms in lemmas(word).values() for f in forms)}
    return own if number is None else {*own, str(number)}


def is_free(candidate: Candidate) -> bool:
    """Tell whether a candidate sets a field to a free value."""
    return any(
        isinstance(a, EditField)
        and isinstance(a.value, str)
        and a.field in EVIDENCE
        and bool(a.value)
        and canonical_term(a.field, a.value) is None
        for a in candidate.actions
    )
