"""Removes, replaces and swaps words of the prompt that a request names."""

from __future__ import annotations

import re
from typing import Final

from workbench.actions.model import (
    Action,
    RewriteSentence,
)
from workbench.lexicon.words import article, sentence_case, sentences
from workbench.prompts.composer.editing import written
from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.contradictions import own_sentences
from workbench.prompts.intents.noun_phrases import noun_phrase_end, without_head
from workbench.prompts.intents.references import refer
from workbench.prompts.intents.removal_intents import removed
from workbench.prompts.intents.requests import without_politeness
from workbench.prompts.intents.stating import wish_in
from workbench.prompts.intents.words import (
    aspect_of,
    determiners,
    is_adjective,
    lemma,
    number_in,
    words_of,
)
from workbench.scene import Entity, EntityKind

__all__ = ["removed_by_order", "replaced", "reworded"]

_REMOVING: Final = re.compile(
    r"(?:please )?(?:(?:i |we )?(?:don't|do not|dont) (?:want|need)(?: to (?:see|have))?(?: any)?|hide|remove|delete|lose|drop|cut|ditch|kill|erase|scrap|dump|skip|omit|get rid of|take (?:out|away|off)|no more|"
    r"leave out|forget|without|minus|no)\s+(?:out )?(?P<what>.+)",
    re.IGNORECASE,
)


def removed_by_order(text: str, context: Context) -> Candidate | None:
    """Remove what a command names: "lose the mouse"; "no rocket"."""
    found = _REMOVING.fullmatch(wish_in(text))
    if found is None:
        return None
    if found["what"].split()[0].lower() in words_of(
        "verbs", "commands"
    ) and text.lower().startswith("no "):
        return None
    later = re.split(r",\s+", found["what"])[1:]
    if any(re.match(r"(?:the|he|she|it|they|a|an)\b.*\b\w+s\b", one) for one in later):
        return None  # the request also has an event: it is stated as a whole
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
    """Replace words of the prompt that a request names: "shark, not grouper"."""
    bare = without_politeness(text)
    is_other = "instead" in text.lower() or bool(_OTHER_PERSON.match(text))
    other = _OTHER_LEAD.fullmatch(wish_in(text)) if is_other else None
    leads = context.leads()
    if other is not None and len(leads) == 1:
        actions = reworded(leads[0].phrase, other["new"], context)
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
        actions = reworded(old, new, context)
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
    """Rewrite the user's latest sentence that names the other of two sides with ``side``."""
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
    """Swap two people, animals or robots: "swap them"; "the boy is the one who pours"."""
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
    """Return the edits that swap two entities in the user's sentences."""
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
    """Return the looks before an entity's noun, and its phrase."""
    looks = [k.text for k in entity.looks if k.place != "after"]
    return " ".join([*looks, entity.phrase]).lower()


def _exchanged(one: str, other: str, context: Context) -> tuple[Action, ...]:
    """Return the edits that swap two words in sentences that have both; empty if none has."""
    both = re.compile(rf"\b(?:{re.escape(one)}|{re.escape(other)})\b", re.IGNORECASE)
    swapped = {one.lower(): other, other.lower(): one}
    return tuple(
        RewriteSentence(before=s, after=both.sub(lambda m: swapped[m[0].lower()], s))
        for s in sentences(context.prompt)
        if {m.lower() for m in both.findall(s)} == set(swapped)
    )


def reworded(old: str, new: str, context: Context) -> tuple[Action, ...]:
    """Return the edits that replace ``old`` with ``new``; empty if the prompt lacks ``old``."""
    old = re.sub(r"^(?:an?|the|his|her|its|their|that|this)\s+", "", old, flags=re.IGNORECASE)
    new = re.sub(r"^(?:make it|it is|it's|use|have|the)\s+", "", new, flags=re.IGNORECASE)
    if not old or not new or len(old.split()) > 4 or len(new.split()) > 7:
        return ()
    words = new.split()
    is_look = len(old.split()) == 1 and (aspect_of(old) is not None or is_adjective(old))
    if is_look and len(words) > 1 and aspect_of(words[0]) is not None:
        new = words[0]  # "silver coat, not red": the prompt has the coat
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
        at = pattern.search(sentence)
        whole = without_head(sentence, at.end(), new) if at is not None else sentence
        fresh = "" if sentence in composed else pattern.sub(lambda m: _put(m, new), whole)
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
