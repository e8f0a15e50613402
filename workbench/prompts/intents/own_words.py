"""A wish in the user's own words: whether actions keep them, and what says them where none does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from workbench.actions.carrying import held_by_locks
from workbench.actions.model import (
    Action,
    AddBeat,
    AddEntity,
    EditEntity,
    EditField,
    LookValue,
    RewriteSentence,
    SceneAction,
)
from workbench.errors import InvalidRequest
from workbench.lexicon.datafiles import english
from workbench.lexicon.terms import find_terms
from workbench.lexicon.words import article, sentence_case, sentences
from workbench.prompts.composer.composer import scene_of
from workbench.prompts.composer.editing import written
from workbench.prompts.enacting import Enacted, enact
from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.contradictions import own_sentences, settled
from workbench.prompts.intents.making import kind_of
from workbench.prompts.intents.references import refer
from workbench.prompts.intents.removal_intents import removed
from workbench.prompts.intents.requests import without_politeness, written_out
from workbench.prompts.intents.soundness import finite_at
from workbench.prompts.intents.stating import (
    fixed_statement,
    is_talk,
    noun_phrase_end,
    statement,
    wish_in,
)
from workbench.prompts.intents.words import (
    aspect_of,
    determiners,
    is_adjective,
    lemma,
    lemmas,
    noun_in_text,
    number_in,
    place_named,
    words_of,
)
from workbench.prompts.parsing.clauses import Clause
from workbench.scene import Entity, EntityKind, Scene, canonical_term

__all__ = [
    "choices_for",
    "fixed_wish",
    "is_faithful",
    "is_free",
    "removed_by_order",
    "replaced",
    "stated",
    "who_is_meant",
]

_WORD: Final = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_NEGATION: Final = re.compile(
    r"n't\b|\b(?:not|never|no|nobody|nothing|none|without|neither|nor)\b", re.IGNORECASE
)
_EVIDENCE: Final[Mapping[str, re.Pattern[str]]] = {
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
"""What shows that words for which no term is known belong to a field."""
_PLACING: Final = re.compile(
    r"\b(?:in|at|on|to|by|near|along|beside|outside|inside|into|set|move|place|setting|location|background|under|through|across)\b",
    re.IGNORECASE,
)
_EGO: Final = re.compile(
    r"\b(?:first[ -]person|pov|point of view|ego|dash ?cam|cockpit|wrist cam\w*|head cam\w*|front camera|"
    r"windscreen|my hands|body ?cam|go ?pro|helmet cam\w*)\b",
    re.IGNORECASE,
)


def is_faithful(candidate: Candidate, clause: Clause, context: Context) -> bool:
    """Tell whether the prompt says all of ``clause`` once ``candidate`` is done, and nothing else."""
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
    """Tell whether the sentences that came in are the user's own, but for who is named."""
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
"""Words by which a sentence may name whom the request calls "it" or "he"."""


def _tokens(text: str) -> list[str]:
    return [w.lower() for w in _WORD.findall(text)]


def _is_small(word: str) -> bool:
    return word in determiners() or word in words_of("misc", "pronouns") or word in _JOINING


_JOINING: Final = frozenset(["and", "there", "is", "are", "many", "more"])


def _is_apt(action: EditEntity, text: str) -> bool:
    """Tell whether an entity is changed in the way in which the words speak of it."""
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
    """Tell whether a value in free words shows that it belongs to its field."""
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
        re.match(_NO_VALUE[action.field], value, re.IGNORECASE)
        if action.field in _NO_VALUE
        else False
    ):
        return False
    pattern = _EVIDENCE.get(action.field)
    return pattern is None or bool(pattern.search(value))


_SURE: Final = 0.7
_NO_VALUE: Final = {
    "camera_movement": r"(?:never|not?|don't|do not|we|i|you|can)\b|see\b",
    "color_palette": r"(?:everything|everyone|all|the|his|her|its|their|an?|only)\b|(?:more|less) \w+ (?!tones?|colou?rs?|palette|and|but)\w+",
}
"""What begins no value of a field, but a statement of its own."""


def _is_terms(text: str, fields: Sequence[EditField]) -> bool:
    """Tell whether ``text`` says nothing but the terms and steps that ``fields`` set."""
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
    """Tell whether every word of ``text`` that matters stands in the prompt, before or after."""
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
    """Tell whether a field gets a value in the user's own words."""
    return any(
        isinstance(a, EditField)
        and isinstance(a.value, str)
        and a.field in _EVIDENCE
        and bool(a.value)
        and canonical_term(a.field, a.value) is None
        for a in candidate.actions
    )


# statements


def fixed_wish(text: str, context: Context) -> Candidate | None:
    """Return what says a wish that has a sentence of its own, such as a loop."""
    bare = without_politeness(text)
    if (cleared := _CLEARING.fullmatch(bare)) is not None:
        return _emptied(cleared["what"], context)
    if (other := _WHAT_ABOUT.fullmatch(text.strip(" ?!."))) is not None:
        return _instead_of_last(other["new"], context)
    fixed = fixed_statement(text)
    if not fixed:
        return None
    beat = AddBeat(text=fixed[:1].lower() + fixed[1:].rstrip("."), told=fixed)
    is_there = fixed in context.prompt
    return Candidate(() if is_there else (beat,), 0.95, already=is_there, intent="statement")


_CLEARING: Final = re.compile(
    r"(?:empty|clear)(?: out)? (?:the |this )?(?P<what>[\w-]+)", re.IGNORECASE
)
_WHAT_ABOUT: Final = re.compile(
    r"(?:(?:meh|hm+|no|nah|ok|or|well|and)[ ,.]+)*(?:what|how) about (?P<new>(?:some |an? )?(?:[a-z-]+ )?[a-z-]+)(?: instead| then)?",
    re.IGNORECASE,
)


def _emptied(what: str, context: Context) -> Candidate | None:
    """Take out whoever is told to be at a place: "empty the street"."""
    place = re.compile(
        rf"\b(?:in|on|from|along|at|across|through|fill\w*|crowd\w*) (?:\w+ )?{re.escape(what)}\b",
        re.IGNORECASE,
    )
    own = own_sentences(context)
    there = [s for s in own[1:] if place.search(s)]
    if not there or not noun_in_text(what, context.prompt):
        return None
    gone = tuple(RewriteSentence(before=s, after="") for s in there)
    told = f"The {what} is empty."
    return Candidate((*gone, AddBeat(text=_plain(told), told=told)), 0.95, intent="remove")


def _instead_of_last(new: str, context: Context) -> Candidate | None:
    """Put something of the same kind in the place of what the last request changed."""
    head = new.rsplit(maxsplit=1)[-1].lower()
    kind = kind_of(lemma(head, "NOUN"))
    meant = [e for i in context.focus if (e := context.scene.entity(i)) is not None]
    same = [
        e
        for e in [*meant, *context.scene.cast]
        if e.kind is kind and e.kind is not EntityKind.OTHER
    ]
    if not same or noun_in_text(head, context.prompt):
        return None
    actions = _reworded(same[0].phrase, new, context)
    return Candidate(actions, 0.85, intent="replace") if actions else None


_NEXT_ORDER: Final = re.compile(
    r"(?:,\s*(?:and |then |but )?|\s+and (?:also |then )?)(?=(?:make|give|put|add|have|let|show|keep|turn|slow|speed|move|place) (?:the|a|an|his|her|its|their|him|them|it|some|two)\b)",
    re.IGNORECASE,
)
"""Where another command follows in the same sentence."""


def stated(
    text: str, clauses: Sequence[Clause], context: Context, spoken: str = ""
) -> Candidate | None:
    """Return what says ``text`` as a sentence of its own; None where it is not about the picture.

    ``spoken`` is the pronoun with which the sentence before it began.
    """
    is_ego = bool(_EGO.search(context.prompt))
    first = next((c for c in clauses if c.text in text or text in c.text), None)
    is_denied = bool(re.match(_NO_VALUE["camera_movement"], text, re.IGNORECASE))
    is_filmed = (
        not is_denied
        and _is_camera(without_politeness(text))
        and ((first is not None and first.label in _FILMED) or bool(_FILMING.match(text)))
    )
    who = "" if is_filmed else spoken or who_is_meant(context)
    orders = _NEXT_ORDER.split(text)

    def said(words: str) -> str:
        return statement(words, context.prompt, who=who, is_ego=is_ego, is_filmed=is_filmed)

    if finite_at(text.lower().split()) < 0 and _STYLED.match(text):
        style = without_politeness(text)
        return Candidate((EditField(field="style", value=style),), 0.8, intent="style")
    each = [said(one) for one in orders]
    halves = (text, text.rpartition(", ")[0], text.partition(", ")[2])
    tried = ((said(one), one) for one in halves if one)
    is_each = len(each) > 1 and all(each)
    told, kept = (" ".join(each), text) if is_each else next((t for t in tried if t[0]), ("", ""))
    if not told:
        return None
    left = text.replace(kept, "").strip(" ,")
    help_ = (
        f"“{left}” stays out of the prompt: I could not tell it as a part of the picture."
        if left and not is_talk(left)
        else ""
    )
    if is_filmed and not _FILMED_CLAUSE.match(told):
        value = told[:1].lower() + told[1:].rstrip(".")
        value = re.sub(r"^(?:the |a )?camera (?=\w+ing |moves |goes )", "", value)
        edit = EditField(field="camera_movement", value=value)
        return Candidate((edit,), 0.8, help=help_, intent="camera")
    made = settled(told, context)
    actions = sorted(made.actions, key=lambda one: not isinstance(one, RewriteSentence))
    is_rewritten = any(isinstance(a, RewriteSentence) for a in actions)
    if made.told and is_rewritten:  # who is named has another name now
        actions.append(AddBeat(text=_plain(made.told), told=made.told))
    elif made.told:
        actions += _structured(made.told, context)
    return Candidate(tuple(actions), 0.8, help=help_, intent="statement")


_STYLED: Final = re.compile(
    r"(?:in |full |back to )*(?:colou?r|black and white|b ?& ?w|monochrome)\b(?! (?:of|the)).*|"
    r"(?:washed|faded|more |less )?[\w ,-]*\blike (?:an? |those |the |some )?(?:old )?[\w ]*(?:film|super ?8|photo\w*|autochromes?|polaroids?|postcards?|vhs|painting|cartoon|movie)s?\b.*",
    re.IGNORECASE,
)
"""Words without a verb that say what the picture looks like: "colour, but faded like an old film"."""
_FILMING: Final = re.compile(
    r"(?:then |and |please )*(?:(?:start|begin|open|end)(?:s|ing)? (?:on|at|in|close|low|high|wide|with|from|behind|really)|pan|tilt|zoom|dolly|orbit|crane|(?:static|fixed|locked) (?:camera|shot)|"
    r"(?:push|pull|fly|glide) (?:in|out|back|backwards?|forwards?|over|through|up|down|past))\b",
    re.IGNORECASE,
)
"""How a request begins that tells what the camera does."""
_FILMED: Final = frozenset(["camera", "shot", "viewpoint"])


_FILMED_CLAUSE: Final = re.compile(r"the camera (?:is|stays|sits|stands)\b", re.IGNORECASE)


def _is_camera(told: str) -> bool:
    lead = " ".join(told.split()[:5])
    return bool(_EVIDENCE["camera_movement"].search(lead) or _EVIDENCE["shot_size"].search(lead))


def who_is_meant(context: Context) -> str:
    """Return who acts in a wish that names nobody: who was spoken of last, or the only lead."""
    leads = context.leads()
    spoken = [e for i in context.focus if (e := context.scene.entity(i)) is not None]
    one = next(iter([*spoken, *leads]), None)
    if one is None or not (spoken or len(leads) == 1):
        return ""
    return f"the {one.phrase.split(' of ')[0]}" if not one.phrase[:1].isupper() else one.phrase


def _structured(told: str, context: Context) -> list[Action]:
    """Return the actions that bring a sentence in as it is, with whom and what it tells."""
    read = scene_of(told[:1].lower() + told[1:] if told[:2] != "I " else told)
    ids: dict[str, str] = {}
    actions: list[Action] = []
    fresh = context.scene.next_entity_id()
    for entity in read.cast:
        same = [e for e in context.scene.cast if e.noun and e.noun == entity.noun]
        is_known = len(same) == 1 and (
            entity.determiner.lower() == "the" or entity.phrase == same[0].phrase
        )
        if is_known and entity.determiner.lower() not in {"another", "a", "an"}:
            ids[entity.id] = same[0].id
        elif kind_of(entity.noun) is not EntityKind.OTHER and f"{entity.phrase}" in told:
            ids[entity.id] = fresh
            looks = tuple(
                LookValue(aspect=k.aspect, text=k.text, place=k.place) for k in entity.looks
            )
            actions.append(
                AddEntity(
                    phrase=entity.phrase, noun=entity.noun, count=entity.count,
                    determiner=entity.determiner, entity_kind=entity.kind, looks=looks, id=fresh,
                )
            )  # fmt: skip
            fresh = f"e{int(fresh[1:]) + 1}"
    if not read.beats or any(b.actor not in ids for b in read.beats):
        return [
            *actions,
            AddBeat(text=_plain(told), targets=tuple(dict.fromkeys(ids.values())), told=told),
        ]
    made = [
        AddBeat(
            text=b.text, actor=ids[b.actor], when=b.when, told=told,
            targets=tuple(ids[t] for t in b.targets if t in ids),
        )
        for b in read.beats
    ]  # fmt: skip
    return [*actions, *made]


def _plain(told: str) -> str:
    return told[:1].lower() + told[1:].rstrip(".")


# removing and replacing

_REMOVING: Final = re.compile(
    r"(?:please )?(?:(?:i |we )?(?:don't|do not|dont) (?:want|need)(?: to (?:see|have))?(?: any)?|hide|remove|delete|lose|drop|cut|ditch|kill|erase|scrap|dump|skip|omit|get rid of|take (?:out|away|off)|no more|"
    r"leave out|forget|without|minus|no)\s+(?:out )?(?P<what>.+)",
    re.IGNORECASE,
)


def removed_by_order(text: str, context: Context) -> Candidate | None:
    """Take out what an order names: "lose the mouse"; "no rocket"."""
    found = _REMOVING.fullmatch(wish_in(text))
    if found is None:
        return None
    if found["what"].split()[0].lower() in words_of(
        "verbs", "commands"
    ) and text.lower().startswith("no "):
        return None
    later = re.split(r",\s+", found["what"])[1:]
    if any(re.match(r"(?:the|he|she|it|they|a|an)\b.*\b\w+s\b", one) for one in later):
        return None  # something happens as well: the whole is said
    end = noun_phrase_end(found["what"].split())
    if text.lower().startswith("no ") and not end:
        return None
    return removed(
        re.sub(r"\s+(?:again|completely|entirely|altogether)$", "", found["what"]), 0.8, context
    )


_SWAPS: Final = (
    re.compile(r"(?:swap|replace|exchange|trade|switch|change) (?:out )?(?P<old>.+?) (?:for|with|by|to|into) (?P<new>.+)", re.IGNORECASE),
    re.compile(r"(?P<new>.+?),? (?:instead of|rather than|in place of) (?P<old>.+)", re.IGNORECASE),
    re.compile(r"(?P<new>[^,]+?),? (?:and |but )?not (?:an? |the )?(?P<old>[\w'-]+(?: [\w'-]+)?)", re.IGNORECASE),
    re.compile(r"not (?:an? |the )?(?P<old>(?!(?:an?|the|so|too|that|as|really)\b)[\w'-]+)(?:,? (?:but|rather) |, )(?P<new>[\w' -]+)", re.IGNORECASE),
    re.compile(r"instead of (?P<old>[^,]+), (?P<new>.+)", re.IGNORECASE),
)  # fmt: skip


_OTHER_LEAD: Final = re.compile(
    r"(?:(?:it|he|she|they|this|that) (?:is|are|was|should be|be)|make (?:it|him|her|them)|(?:it|that)'s|with) (?P<new>(?:an?|two|three|some) .+?)(?: instead)?",
    re.IGNORECASE,
)


_OTHER_PERSON: Final = re.compile(
    r"make (?:him|her|them|it) an? (?:\w+ ){0,2}?(?:man|woman|girl|boy|kid|child|lady|guy|robot|dog|cat)\b",
    re.IGNORECASE,
)


def replaced(text: str, context: Context) -> Candidate | None:
    """Put other words in the place of those that a request names: "shark, not grouper"."""
    bare = without_politeness(text)
    is_other = "instead" in text.lower() or bool(_OTHER_PERSON.match(text))
    other = _OTHER_LEAD.fullmatch(wish_in(text)) if is_other else None
    leads = context.leads()
    if other is not None and len(leads) == 1:
        actions = _reworded(leads[0].phrase, other["new"], context)
        return Candidate(actions, 0.85, intent="replace") if actions else None
    if (chosen := _OTHER_ONE.fullmatch(bare)) is not None:
        actions = _sided(chosen["side"].lower(), context)
        return Candidate(actions, 0.85, intent="replace") if actions else None
    if (swapped := _swapped(bare, context)) is not None:
        return swapped
    both = _EXCHANGE.fullmatch(bare)
    if both is not None and (actions := _exchanged(both[1], both[2], context)):
        return Candidate(actions, 0.85, intent="replace")
    for form in _SWAPS:
        found = form.fullmatch(bare)
        if found is None:
            continue
        new, old = (without_politeness(found[k]).strip(" ,.") for k in ("new", "old"))
        actions = _reworded(old, new, context)
        if actions:
            return Candidate(actions, 0.85, intent="replace")
    return None


_EXCHANGE: Final = re.compile(
    r"(?:swap|switch|exchange) (?:the )?([\w'-]+) (?:and|with) (?:the )?([\w'-]+)(?: around| over| round)?",
    re.IGNORECASE,
)


_OTHER_ONE: Final = re.compile(
    r"(?:make (?:it|that)|it should be|should be|it is|i mean|i meant|use|take|no,?|and)* ?the (?P<side>left|right|front|rear|upper|lower|first|second|top|bottom|near|far)(?:-?hand)? (?:one|side)(?: instead| then| now)*",
    re.IGNORECASE,
)
_SIDES: Final = dict(
    pair.split("=")
    for one in ["left=right", "front=rear", "upper=lower", "first=second", "top=bottom", "near=far"]
    for pair in (one, "=".join(reversed(one.split("="))))
)


def _sided(side: str, context: Context) -> tuple[Action, ...]:
    """Return the latest sentence of the user that names the other of two, with ``side`` instead."""
    other = re.compile(rf"\b{_SIDES[side]}(?= [a-z])", re.IGNORECASE)
    told = [s for s in own_sentences(context) if other.search(s)]
    if not told:
        return ()
    after = sentence_case(other.sub(side, told[-1]))
    return (RewriteSentence(before=told[-1], after=after),)


_SWAP_ROLES: Final = re.compile(
    r"(?:swap|switch|exchange|reverse)(?: (?:them|the two|roles|places|their roles|these two|those two|both))(?: around| over| round)?(?:$|[,:;.])|the other way (?:a?round)(?:$|[,:;.])",
    re.IGNORECASE,
)


_THE_ONE: Final = re.compile(
    r"(?:and |so |now )*(?P<who>(?:the |his |her )?[\w' -]+?) (?:is|are|should be) the ones? (?:who|that) (?P<act>[\w-]+)\b.*",
    re.IGNORECASE,
)


def _swapped(text: str, context: Context) -> Candidate | None:
    """Let two people or animals change places: "swap them"; "the boy is the one who pours"."""
    alive = [
        e
        for e in context.scene.cast
        if e.kind in {EntityKind.PERSON, EntityKind.ANIMAL, EntityKind.ROBOT}
    ]
    one = _THE_ONE.fullmatch(text)
    if len(alive) != 2 or not (one is not None or _SWAP_ROLES.match(text)):
        return None
    if one is not None:
        meant = refer(one["who"], context)
        act = lemma(one["act"].lower(), "VERB")
        now = next(
            (
                b.actor
                for b in context.scene.beats
                if lemma(b.text.partition(" ")[0], "VERB") == act
            ),
            "",
        )
        if meant is None or not now or now not in {e.id for e in alive}:
            return None
        if now in meant.ids:
            return Candidate(score=0.85, already=True, intent="replace")
    actions = _roles_swapped(alive[0], alive[1], context)
    return Candidate(actions, 0.85, intent="replace") if actions else None


def _roles_swapped(one: Entity, other: Entity, context: Context) -> tuple[Action, ...]:
    """Return the user's sentences with two of the cast in each other's place."""
    names = [n for e in (one, other) for n in dict.fromkeys((_full(e), e.noun)) if n]
    swapped = {one.noun: other.noun, other.noun: one.noun}
    swapped |= {_full(one): _full(other), _full(other): _full(one)}
    pattern = re.compile(
        rf"\b(?:{'|'.join(sorted(map(re.escape, names), key=len, reverse=True))})\b", re.IGNORECASE
    )
    own = own_sentences(context)
    actions = [
        RewriteSentence(before=s, after=sentence_case(fresh) if s in own else "")
        for s in sentences(context.prompt)
        if (fresh := pattern.sub(lambda m: swapped[m[0].lower()], s)) != s
    ]
    return tuple(actions)


def _full(entity: Entity) -> str:
    """Return the looks in front of an entity, and its phrase."""
    looks = [k.text for k in entity.looks if k.place != "after"]
    return " ".join([*looks, entity.phrase]).lower()


def _exchanged(one: str, other: str, context: Context) -> tuple[Action, ...]:
    """Return the sentences in which two words change places; empty where none has both."""
    both = re.compile(rf"\b(?:{re.escape(one)}|{re.escape(other)})\b", re.IGNORECASE)
    swapped = {one.lower(): other, other.lower(): one}
    return tuple(
        RewriteSentence(before=s, after=both.sub(lambda m: swapped[m[0].lower()], s))
        for s in sentences(context.prompt)
        if {m.lower() for m in both.findall(s)} == set(swapped)
    )


def _reworded(old: str, new: str, context: Context) -> tuple[Action, ...]:
    """Return the rewritten sentences with ``new`` for ``old``; empty where the text lacks ``old``."""
    old = re.sub(r"^(?:an?|the|his|her|its|their|that|this)\s+", "", old, flags=re.IGNORECASE)
    new = re.sub(r"^(?:make it|it is|it's|use|have|the)\s+", "", new, flags=re.IGNORECASE)
    if not old or not new or len(old.split()) > 4 or len(new.split()) > 7:
        return ()
    words = new.split()
    is_look = len(old.split()) == 1 and (aspect_of(old) is not None or is_adjective(old))
    if is_look and len(words) > 1 and aspect_of(words[0]) is not None:
        new = words[0]  # "silver coat, not red": the coat stands there
    stem = lemma(old.split()[-1].lower(), "NOUN")
    last = rf"{re.escape(old.split()[-1])}|{re.escape(stem)}(?:s|es)?"
    ahead = "".join(rf"{re.escape(w)}\s+" for w in old.split()[:-1])
    pattern = re.compile(
        rf"(?<![\w-])(?:[tT]-(?=shirt))?(?:(?P<article>an?|the|his|her|its|their)\s+)?{ahead}(?:{last})(?![\w-])",
        re.IGNORECASE,
    )
    composed = written(context.scene)
    actions: list[Action] = []
    for sentence in sentences(context.prompt):
        if not pattern.search(sentence):
            continue
        fresh = "" if sentence in composed else pattern.sub(lambda m: _put(m, new), sentence)
        actions.append(RewriteSentence(before=sentence, after=sentence_case(fresh)))
    is_named = any(isinstance(a, RewriteSentence) and a.after for a in actions)
    return tuple(actions) if is_named else ()


def _put(found: re.Match[str], new: str) -> str:
    said = (found["article"] or "").lower()
    is_led = (
        new.split(maxsplit=1)[0].lower() in determiners()
        or number_in(new.split(maxsplit=1)[0]) is not None
    )
    if not said or is_led:
        return new
    return f"{article(new)} {new}" if said in {"a", "an"} else f"{said} {new}"


# no direction

_IDEAS: Final = (
    ("shot_size", "closer on {}"), ("lighting", "low golden light from one side"),
    ("camera_movement", "slow push in"), ("pace", "slow motion"), ("style", "35mm film with grain"),
    ("weather", "a light mist"),
)  # fmt: skip


def choices_for(context: Context) -> str:
    """Return the question back to a wish without direction: three things that would suit the scene."""
    scene: Scene = context.scene
    lead = next((f"the {e.phrase}" for e in context.leads()), "it")
    open_ones = [said for field, said in _IDEAS if not getattr(scene, field)]
    three = [one.format(lead) for one in (open_ones or [said for _, said in _IDEAS])[:3]]
    shown = ", ".join(f"“{one}”" for one in three)
    return (
        f"What should be different? For example {shown}; or say “other ideas” for variations. "
        "Nothing was changed yet."
    )
