"""Turns a request in the user's own words into a statement of what is seen. Knows no scenes.

This is the fallback for what fits no field, and the normal path for events. The words stay in
order; politeness, remarks to the tool and reasons are cut, commands and questions turned into
statements.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.lexicon.morphology import inflect, is_plural, lemma
from workbench.lexicon.tagging import is_action
from workbench.lexicon.terms import is_pair
from workbench.lexicon.words import article, sentence_case
from workbench.prompts.intents.grammar import is_name_alone
from workbench.prompts.intents.noun_phrases import (
    PRONOUNS,
    acts_after,
    is_many,
    is_state,
    noun_phrase_end,
    subject_form,
)
from workbench.prompts.intents.picture_words import is_clean
from workbench.prompts.intents.requests import written_out
from workbench.prompts.intents.soundness import whole_sentence
from workbench.prompts.intents.talk import (
    statement_pattern,
)
from workbench.prompts.intents.viewing import viewed
from workbench.prompts.intents.words import (
    ANIMATE,
    determiners,
    is_adjective,
    is_known_noun,
    is_noun,
    is_verb,
    number_in,
    subject_kind,
    word_list,
    words_of,
)

__all__ = [
    "statement",
    "wish_in",
]


def statement(
    text: str, prompt: str, *, who: str = "", is_ego: bool = False, is_filmed: bool = False
) -> str:
    """Return ``text`` as a sentence about the picture; empty if it is not one.

    ``prompt`` is the text that the sentence is added to, ``who`` the subject if ``text`` has none.
    ``is_ego`` means that the picture is seen through the user's eyes, ``is_filmed`` that ``text``
    directs the camera; such commands are kept.
    """
    said = wish_in(written_out(text.strip()))
    said = re.sub(r"\b(?:sort|kind) of (?=\w+(?:ing|ed|y)\b)", "", said)
    is_order = _ORDER.match(said) and not _CAMERA_PUT.fullmatch(said)
    if not said or is_order or _ASKING.match(said) or _LEFT_OVER.match(said):
        return ""
    said = _declared(said, who)
    said = viewed(said, is_ego=is_ego)
    said = _with_article(said, prompt)
    said = re.sub(r"\s+([,.;])", r"\1", re.sub(r"\s+", " ", said)).strip(" ,;:-")
    said = re.sub(r"\bi\b", "I", said)
    said = said if is_filmed else whole_sentence(said, prompt, who)
    said = f"there is {said}" if is_name_alone(said) else said
    if not said or not is_clean(said, prompt, is_ego=is_ego):
        return ""
    return f"{sentence_case(said)}."


_ASKING: Final = re.compile(
    r"(?:(?:can't|cannot|can not|couldn't|won't) \w+|what(?:'s|s)?|which|who(?:'s)?|whose|why|how (?:many|much|long|about|do|does|is|are|come)|where(?:'s)?|is (?:it|there|the|he|she|this)|are (?:they|there|the|we|you)|"
    r"does|do (?:you|we|i|they|the)|did|will (?:it|the|he|she|they|this)|was|were)\b",
    re.IGNORECASE,
)
_LEFT_OVER: Final = re.compile(
    r"(?:nothing|everything|anything|all)(?: else)?$|if .*\b(?:already|possible)$|to \w+\b|nothing that\b|be (?:much |a bit |more )?\w+$",
    re.IGNORECASE,
)
_ORDER: Final = re.compile(
    r"(?:undo|redo|remove|delete|lose|drop the|ditch|kill|erase|scrap|get rid|compare|render|star|lock|unlock|save|export|vary|reset|"
    r"replace|swap|rewrite|go back|bring back|revert|restore|fix|improve|tell|explain|describe|ignore|forget|disregard|write|say|send|continue|carry on|increase|decrease|reduce|raise the|lower the|tone down|cut the)\b",
    re.IGNORECASE,
)
"""Commands that need an action and make no statement."""


def wish_in(text: str) -> str:
    """Return ``text`` without politeness, fillers, remarks to the tool and reasons."""
    text = text.strip(" .,!?;:-–")
    text = statement_pattern("reason").sub("", text) if " " in text else text
    text = re.sub(
        rf"(?:^|(?<=\s))[\s,]*(?:{statement_pattern('filler').pattern})(?=[\s,.!?]|$),?",
        " ",
        text,
        flags=re.IGNORECASE,
    )
    lead = re.compile(rf"(?:{statement_pattern('lead').pattern})(?![\w'-])[\s,:]*", re.IGNORECASE)
    text = text.strip(" .,!?;:-–")
    wanted = False
    while (found := lead.match(text)) and found.end() < len(text) and found.end():
        wanted = wanted or bool(
            re.search(r"want|need|like|love|prefer|wanna|sure|chance|possible", found[0])
        )
        text = text[found.end() :]
    text = re.sub(
        r"^to (?:actually |really |clearly |just )?(?=(?:see|show|have|make|add)\b)", "", text
    )
    text = re.sub(
        r"[\s,]+(?:instead|too|as well|though|tho|(?<!now and )then|now|rn|maybe|actually|ok|okay|yes|if possible)$",
        "",
        text,
        flags=re.IGNORECASE,
    )
    if wanted:
        end = noun_phrase_end(text.split())
        words = text.split()
        if 0 < end < len(words) - 1 and words[end].lower() == "to":
            text = f"{' '.join(words[:end])} should {' '.join(words[end + 1 :])}"
    return text.strip(" .,!?;:")


_PLACING: Final = re.compile(
    r"(?:add|move|bring|include|insert|bring in|throw in|put in|put up|place|put|introduce|sprinkle|scatter|need|get|park(?= an? ))\s+(?:in\s+|also\s+|back\s+)?(?=\S)",
    re.IGNORECASE,
)
_SHOWING: Final = re.compile(
    r"(?:show(?: me| us)?|see(?: how)?|reveal|feature|focus on(?= \w+ \w+ing)|actually see|to (?:actually )?see)\s+(?=\S)",
    re.IGNORECASE,
)
_MAKING: Final = re.compile(
    r"(?P<verb>make|have|let|get|keep|leave|turn|change|switch|transform|morph|convert|want)\s+(?=\S)",
    re.IGNORECASE,
)
_MODAL: Final = re.compile(
    r"(?<!\bthe )(?<!\ba )\b(?P<modal>should|must|has to|have to|needs? to|ought to|is supposed to|are supposed to|shall|can|could|would|may)(?P<not>n't| not| never)?\s+(?P<also>also |always |only |really |just |still |then )?(?P<be>be |have )?",
    re.IGNORECASE,
)
_ASKED: Final = re.compile(
    r"(?:can|could|should|would|may|does|do)(?P<not>n't| not)?\s+(?=\S)", re.IGNORECASE
)
_FORBIDDEN: Final = re.compile(
    r"(?:don't|do not|never|please don't|not)\s+(?P<verb>let|make|have|show|see|want)\s+(?=\S)",
    re.IGNORECASE,
)


def _declared(text: str, who: str) -> str:
    """Return a command or a question as a statement."""
    words = text.split()
    barred = _FORBIDDEN.match(text)
    if barred is not None:
        rest = text[barred.end() :].split()
        end = noun_phrase_end(rest)
        if (
            end == len(rest) > 1
            and barred["verb"].lower() not in {"show", "see"}
            and is_verb(rest[-1].lower())
        ):
            end -= 1  # "the glass break"
        subject, left = subject_form(rest[:end]), " ".join(rest[end:])
        subject = re.sub(r"^any ", "", subject)
        if barred["verb"].lower() in {"show", "see"} or not left:
            return f"{subject or ' '.join(rest)} {'are' if is_many(subject) else 'is'} not seen"
        return _modal_free(f"{subject} should not {re.sub('^to ', '', left)}")
    asked = _ASKED.match(text)
    if asked is not None:
        rest = text[asked.end() :].split()
        end = _subject_end(rest)
        if 0 < end < len(rest):
            return _modal_free(
                f"{' '.join(rest[:end])} should{asked['not'] or ''} {' '.join(rest[end:])}"
            )
    camera = _CAMERA_PUT.fullmatch(text)
    if camera is not None:
        where = re.sub(r"^(?:in)?to ", "at ", camera["where"], flags=re.IGNORECASE)
        return f"the camera is {where}"
    posed = _POSED.fullmatch(text)
    if posed is not None:
        subject = subject_form([posed["who"]])
        verb = {"seat": "sit", "lay": "lie"}.get(posed["how"].lower(), posed["how"].lower())
        many = is_many(subject)
        return f"{subject} {verb if many else inflect(verb, 'VBZ')} {posed['where']}"
    ending = _ENDING.fullmatch(text)
    if ending is not None:
        return f"the shot ends {ending['when']}"
    paced = _PACED.fullmatch(text)
    if paced is not None and (named := paced["one"] or paced["other"]):
        be = "move" if is_many(named) else "moves"
        how = "slowly" if paced["way"].lower().startswith("slow") else "fast"
        return f"{named} {be} {how}"
    making = _MAKING.match(text)
    if making is not None and (made := _made(making["verb"].lower(), text[making.end() :])):
        return made
    if words[0].lower() == "give" and (given := _given(words[1:])):
        return given
    placing = _PLACING.match(text)
    if placing is not None and is_named(text[placing.end() :]):
        return _placed(text[placing.end() :])
    showing = _SHOWING.match(text)
    if showing is not None:
        return f"we see {text[showing.end() :]}"
    meant = _MEANT.fullmatch(text)
    if meant is not None:
        return f"the {meant['old']} is {meant['new']}"
    text = _NEEDS.sub(lambda m: f"{m['who']} {'have' if is_many(m['who']) else 'has'} ", text)
    return _with_subject(_modal_free(text), who)


_CAMERA_PUT: Final = re.compile(
    r"(?:raise|lower|move|bring|put|set|place|drop|get) (?:the )?camera (?:up |down |right )?(?P<where>(?:to|into|at|in|on|behind|above|below|under|near|beside|inside|outside) (?!the (?:left|right)\b).+)",
    re.IGNORECASE,
)
"""A command that places the camera: "raise the camera to eye level"."""
_POSED: Final = re.compile(
    r"(?P<how>sit|seat|stand|lay|lean) (?P<who>him|her|them|it) (?P<where>(?:down )?(?:on|in|at|by|near|under|behind|beside|next to|against|between) .+)",
    re.IGNORECASE,
)
"""A command that places a person: "sit her on the back row"."""
_ENDING: Final = re.compile(
    r"(?:stop|end|cut|finish)(?: it| the clip| the video| there)? (?P<when>(?:right |just |shortly )?(?:before|when|as soon as) \w+ .+)",
    re.IGNORECASE,
)
"""A command that ends the clip: "stop right before it spills"."""
_PACED: Final = re.compile(
    r"(?P<way>slow|speed) (?:(?P<one>(?:the|his|her|its|their) [\w' -]+?) (?:down|up)|(?:down|up) (?P<other>(?:the|his|her|its|their) [\w' -]+))",
    re.IGNORECASE,
)
"""A command on speed: "slow the brushes down"."""
_MEANT: Final = re.compile(
    r"(?:by|with) (?:the |a )?(?P<old>[\w' -]+?),? (?:i|we) (?:mean|meant) (?P<new>.+?)(?:,? (?:and )?not .+)?",
    re.IGNORECASE,
)
_NEEDS: Final = re.compile(
    r"^(?P<who>(?:the |his |her |its |their )?[\w' -]{2,24}?) needs? (?=(?:an?|some|more|two|three|the|his|her|its|their|big|long|red|blue)\b)",
    re.IGNORECASE,
)


def is_named(text: str) -> bool:
    """Tell whether ``text`` begins with a noun phrase."""
    return noun_phrase_end(text.split()) > 0


def _subject_end(words: list[str]) -> int:
    """Return the number of words of the subject: 2 for "the foam say MUM"."""
    end = noun_phrase_end(words)
    last = words[end - 1].lower() if end else ""
    is_deed = end > 2 - (words[0].lower() not in determiners()) and is_action(last)
    if not is_deed or lemma(last, "VERB") != last or is_plural(words[end - 2].lower()):
        return end
    follows = words[end].lower().strip(",.") if end < len(words) else ""
    is_state_next = is_adjective(follows) and not words[end].isupper()
    is_said = is_state_next or (is_verb(follows) and lemma(follows, "VERB") == follows)
    return end if is_said or is_pair(words[end - 2].lower(), last) else end - 1


def _made(verb: str, rest: str) -> str:
    words = rest.split()
    end = _subject_end(words)
    if not 0 < end < len(words):
        return ""
    subject, left = subject_form(words[:end]), words[end:]
    first = left[0].lower()
    many = is_many(subject)
    if verb in {"turn", "change", "switch", "transform", "morph", "convert"}:
        if first not in {"into", "to"}:
            return ""
        return f"{subject} {'are' if many else 'is'} {' '.join(left[1:])}"
    if verb in {"keep", "leave"}:
        return f"{subject} {'stay' if many else 'stays'} {' '.join(left)}"
    if subject.lower() == "it" and number_in(first) not in {None, 1} and len(left) > 1:
        return f"there are {' '.join(left)}"
    if first == "to":
        left = left[1:]
    elif verb in {"want", "have", "get"} and not is_verb(first) and not is_state(first):
        return ""
    first_half, joint, rest_half = " ".join(left).partition(" and the ")
    made = _acting(subject, first_half, many=many)
    if joint:
        other = noun_phrase_end(["the", *rest_half.split()]) - 1
        words = rest_half.split()
        if 0 < other < len(words) and not acts_after([w.lower() for w in words], other):
            be = "are" if is_many(" ".join(words[:other])) else "is"
            return f"{made} and the {' '.join(words[:other])} {be} {' '.join(words[other:])}"
        return f"{made} and the {rest_half}"
    return made


def _acting(
    subject: str, doing: str, *, many: bool, negated: bool = False, is_deed: bool = False
) -> str:
    """Return the sentence of ``subject`` and ``doing``, a bare verb phrase or a state."""
    words = doing.split()
    at = 0
    while at < len(words) - 1 and (
        words[at].lower().endswith("ly")
        or words[at].lower() in {"also", "just", "still", "always", "only", "never", "all"}
    ):
        at += 1
    first = words[at].lower().strip(",") if words else ""
    be, have = ("are", "have") if many else ("is", "has")
    if first == "be":
        rest = " ".join([*words[:at], *words[at + 1 :]])
        return f"{subject} {be}{' not' if negated else ''} {rest}"
    acts = is_verb(first) and lemma(first, "VERB") == first and (is_deed or not is_state(first))
    if not acts:
        return f"{subject} {be}{' not' if negated else ''} {doing}"
    if negated:
        return f"{subject} {'do' if many else 'does'} not {doing}"
    verb = have if first == "have" else first if many else inflect(first, "VBZ")
    words[at] = f"{verb}{',' if words[at].endswith(',') else ''}"
    for i in range(at + 1, len(words) - 1):
        low = words[i + 1].lower()
        if (
            words[i].lower() in {"and", "then"}
            and not many
            and is_verb(low)
            and lemma(low, "VERB") == low
            and not is_noun(low)
        ):
            words[i + 1] = inflect(low, "VBZ")
    return f"{subject} {' '.join(words)}"


def _modal_free(text: str) -> str:
    """Return ``text`` without modals such as "should" and "has to", in the present tense."""
    for _ in range(4):
        found = next(
            (m for m in _MODAL.finditer(text) if m.start() and _clause_start(text, m.start()) >= 0),
            None,
        )
        if found is None or not text[found.end() :].strip():
            return text
        start = _clause_start(text, found.start())
        before, subject, rest = (
            text[:start],
            text[start : found.start()].strip(),
            text[found.end() :],
        )
        many = is_many(subject)
        is_never = bool(found["not"]) and found["not"].strip() == "never"
        lead = f"{found['be'] or ''}{found['also'] or ''}"
        if is_never and not found["be"]:
            lead = f"never {lead}"
        made = _acting(
            subject,
            f"{lead}{rest}".strip(),
            many=many,
            negated=bool(found["not"]) and (not is_never or bool(found["be"])),
            is_deed=True,
        )
        text = f"{before}{made}"
    return text


def _clause_start(text: str, at: int) -> int:
    """Return the start of the clause whose verb is at ``at``; -1 for a subordinate clause."""
    marks = [
        m.end()
        for m in re.finditer(r"[,;:]\s+(?:and |then |but )*|\s(?:and|but|then)\s", text[:at])
    ]
    start = marks[-1] if marks else 0
    subject = text[start:at].strip()
    return start if subject and len(subject.split()) <= 9 else -1


def _given(words: list[str]) -> str:
    end = noun_phrase_end(words, is_object=True)
    subject, left = subject_form(words[:end]), " ".join(words[end:])
    if not subject or not left:
        return ""
    return f"{subject} {'have' if is_many(subject) else 'has'} {left}"


def _placed(rest: str) -> str:
    words = rest.split()
    end = noun_phrase_end(words)
    subject, left = " ".join(words[:end]), " ".join(words[end:])
    first = words[0].lower()
    many = is_many(subject) or bool(re.match(r"and\s", left) and "there" not in left)
    if first in {"the", "his", "her", "its", "their", "him", "them", "it", "this", "that"} and left:
        return f"{subject_form(words[:end])} {'are' if many else 'is'} {left}"
    return f"there {'are' if many else 'is'} {_undetermined(rest)}"


def _undetermined(rest: str) -> str:
    """Return a noun phrase with the article it needs after "there is"."""
    words = rest.split()
    end = noun_phrase_end(words)
    head = words[end - 1].lower() if end else words[0].lower()
    low = words[0].lower()
    if (
        low in determiners()
        or number_in(low) is not None
        or is_plural(head)
        or head in word_list("mass")
        or low in {"more", "some", "lots", "no"}
    ):
        return rest
    return f"{article(words[0])} {rest}" if not words[0][:1].isupper() else rest


def _with_subject(text: str, who: str) -> str:
    """Return ``text`` with ``who`` as the subject of a bare verb."""
    words = text.split()
    at = (
        1
        if len(words) > 1
        and (words[0].lower().endswith("ly") or words[0].lower() in {"then", "never", "also"})
        else 0
    )
    first = words[at].lower().strip(",")
    if not who or not is_verb(first) or len(words) <= at + 1 or is_state(first):
        return text
    base = lemma(first, "VERB")
    is_third = first == inflect(base, "VBZ") and first != base
    follows = words[at + 1].lower()
    if is_third and (not is_known_noun(first) or follows in words_of("closed", "objects")):
        return (
            " ".join([*words[:at], who, *words[at:]])
            if at and words[0].lower() == "then"
            else f"{who} {text}"
        )
    if (
        first == base
        and first in words_of("closed", "deeds") | words_of("verbs", "exclusive")
        and (follows in {"left", "right", "back"} or not is_noun(follows))
    ):
        return _acting(who, " ".join(words), many=is_many(who), is_deed=True)
    if first.endswith("ing") and base != first and not is_noun(first):
        return f"{who} {'are' if is_many(who) else 'is'} {text}"
    return text


def _with_article(text: str, prompt: str) -> str:
    """Return ``text`` with an article if it begins with a bare singular noun as the subject."""
    words = text.split()
    low = [w.lower().strip(",") for w in words]
    if (
        len(words) < 2
        or words[0].endswith(",")
        or words[0][:1].isupper()
        or low[0] in determiners()
        or low[0] in PRONOUNS
    ):
        return text
    end = noun_phrase_end(words)
    if not 0 < end < len(words) or end > 4:
        return text
    head = low[end - 1]
    if (
        is_plural(head)
        or head in word_list("mass")
        or number_in(low[0]) is not None
        or low[0]
        in {"more", "less", "then", "no", "other", "another", "everybody", "same", "old", "all"}
        or low[0] in word_list("colors")
    ):
        return text
    if not is_known_noun(head) or not acts_after(low, end) or _is_order(low):
        return text
    have = {lemma(w, "NOUN") for w in re.findall(r"[\w'-]+", prompt.lower())}
    is_new = lemma(head, "NOUN") not in have and subject_kind(
        words[0].removesuffix("'s")
    ) in ANIMATE | {"vehicle"}
    lead = article(words[0]) if is_new else "the"
    return f"{lead} {text}"


def _is_order(low: list[str]) -> bool:
    """Tell whether the words begin a command: "turn it around", "start close on the hands"."""
    is_base = is_verb(low[0]) and lemma(low[0], "VERB") == low[0]
    following = low[1]
    return is_base and (
        low[0] in words_of("closed", "filming")
        or following
        in words_of("closed", "following")
        | PRONOUNS
        | {"close", "with", "from", "back", "wide", "slow"}
        or following in word_list("prepositions")
    )
