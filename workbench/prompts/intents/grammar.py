"""Checks that a sentence to be added to a prompt is plain English about what is seen.

This is the final check, whichever rule wrote the sentence. A command, a remark on the result, a
wrong verb form or an article without a noun means that the request was misread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Final

from workbench.lexicon.morphology import inflect, is_adjective, is_noun, is_plural, lemma
from workbench.lexicon.tagging import Token, tagged
from workbench.lexicon.words import sentences
from workbench.prompts.intents.words import is_known, number_in

__all__ = ["is_broken", "is_name_alone"]

_FIELD: Final = re.compile(r"[A-Z][a-z ]{2,20}: |(?:Shot|Framed|Filmed|Seen) ")
"""The beginning of the composer's sentence on a field: "Style: …", "Shot with …"."""
_BE: Final = frozenset(["is", "are", "was", "were", "be", "being", "isn't", "aren't"])
_PAST: Final = frozenset(["was", "were", "did", "had", "wasn't", "weren't", "didn't", "hadn't"])
_ARTICLES: Final = frozenset(["a", "an", "the"])
_OBJECTS: Final = frozenset(["us", "him", "her", "it", "them", "me"])
_LED: Final = frozenset(
    [
        "that",
        "if",
        "having",
        "making",
        "letting",
        "seeing",
        "as",
        "than",
        "have",
        "has",
        "hear",
        "feel",
        "keep",
        "keeps",
    ]
)
_NEITHER: Final = frozenset(
    [
        "then",
        "now",
        "also",
        "too",
        "just",
        "so",
        "he",
        "she",
        "they",
        "it",
        "we",
        "i",
        "you",
        "and",
        "or",
        "but",
        "is",
        "are",
        "was",
        "has",
    ]
)
_TO_SEVERAL: Final = frozenset(
    [
        "can",
        "could",
        "will",
        "would",
        "should",
        "may",
        "might",
        "must",
        "do",
        "does",
        "don't",
        "doesn't",
        "didn't",
        "make",
        "makes",
        "let",
        "lets",
        "see",
        "sees",
        "watch",
        "watches",
        "help",
        "helps",
        "they",
        "we",
        "both",
        "who",
    ]
)
_SAID: Final = re.compile(
    r"^(?:only \w+ (?:\w+ ){0,2}\w+, and |variant:|think|no,?(?= (?:not|he|she|it|they|the))|not|less|fewer|[a-z]+ again but|everything else|one more|the first thing|the (?:way|only) \w+s?\b(?! (?:is|are))) |"
    r"^(?:it|this|that)(?: is|'s)? (?:cuts?|cutting|ends?) off\b|^nobody \w+ing,|\b(?:this|that|next|last) time\b|"
    r"(?:^|[,;] )(?:that|this|it)(?: is|'s) (?:\w+er|more \w+|cliche\w*|clichéd?|cheesy|corny|tacky|enough|it|all)\W*$|"
    r"^(?:we|you) (?:feel|want|need|think|know|like|love|hate|get it)\b|"
    r"\bnot as \w+(?=$|[,.])(?! as)|\bso (?:show|keep|make|let|have|please|do)\b|\blet'?s (?:see|have|make|do)\b|\bthat one's\b|\bthe opposite of\b|\bwill (?:complain|hate|love|notice|ask|laugh at)\b|\bor anything\b|\bwhatever that\b|\bfeels? kind of\b|\blike (?:\d+ |a second\b|now\b)|, not (?:hit|him|her|it)\b|"
    r"\bmore (?:big|small|slow|fast|far|young|dark|bright|tall|high)\b|\beasier to see\b|\bcounterfactual\b|\bno edits\b|\bas in the\b|\b(?:is|are) out$",
    re.IGNORECASE,
)
"""Words addressed to the tool or about the result, never about the picture."""
_ORDERED: Final = re.compile(
    r"^(?:keep|make|put|loop|drop|calm|give|get|use|try|a \d+\b|the camera (?:lower|higher|closer|further))\b|\binstead\b|\blike now\b|\b(?:it|that|them) (?:down|up)\b|\b(?:is|are|and|until it)$",
    re.IGNORECASE,
)
"""A command left in the value of a field: "Mood: calm it down"."""
_TWICE: Final = re.compile(r"\b(?!really|very|far|slowly)([a-z]{3,}) \1\b", re.IGNORECASE)
_SHORN: Final = re.compile(
    r"\b(?!one )(?P<noun>[a-z]{3,}) (?:is|are|stays?) (?:an? |the )?(?P=noun)\b|"
    r"\b(?:an?|the) \d+(?:\.\d+)? ?[a-z]{0,3} (?:over|on|in|at|above|under|from|to)\b|"
    r"\bthe (?:closer|wider|lower|higher|slower|faster|eye level)(?: (?:on|in|at|to|from|with)\b|$)|"
    r"\b(?:is|are|being) (?:barely|only|just)(?:,|$)|\bafter [\w ]{1,15} later\b|"
    r"\b(?:and|or|the|an?|of|than|but|because|be|while|with)$",
    re.IGNORECASE,
)
"""Incomplete phrases."""


def is_broken(before: str, after: str, composed: Collection[str] = ()) -> bool:
    """Tell whether a sentence new in ``after`` is not plain English about the picture.

    ``composed`` are sentences of the composer, which are not checked.
    """
    old = [one.strip(" .!") for one in sentences(before)]
    is_low = not old or any(one[:1].islower() for one in old)
    fresh = [one for one in sentences(after) if one.strip(" .!") not in old and one not in composed]
    return any(
        (one[:1].islower() and not is_low) or not _is_plain(one, before.lower()) for one in fresh
    )


def _is_plain(sentence: str, known: str) -> bool:
    text = sentence.strip(" .!")
    if re.search(r"[\u2e80-\U0002ffff]", text) and re.search(r"[a-z]{2,} [a-z]{2,}", text):
        return False  # two languages in one sentence
    if _is_foreign(text):
        return True
    if text[:1] in ",;:)" or text.lower().startswith(("of ", "and ", "or ")):
        return False
    for pattern in (_SAID, _TWICE, _SHORN):
        found = pattern.search(text)
        if found is not None and found[0].lower() not in known:
            return False
    if (value := _FIELD.match(text)) is not None:
        said = _ORDERED.search(text[value.end() :])
        return said is None or said[0].lower() in known
    words = tagged(text)
    return not any(fault(words) for fault in _FAULTS)


def _is_foreign(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+", text.lower())
    return (not text.isascii() and any(ord(c) > 0x2FF for c in text)) or (
        3 * sum(not is_known(w) for w in words) > len(words)
    )


def _is_order(words: Sequence[Token]) -> bool:
    """Find a command: "keep …" at the start; "…, don't make her cry"."""
    for at, word in enumerate(words):
        starts = at == 0 or words[at - 1].low in {",", ";", "and", "but", ":"}
        starts = starts and not _may_be_bare(words[:at])
        if (
            starts
            and word.low in {"don't", "do"}
            and at + 1 < len(words)
            and words[at + 1].tag in "VE"
        ):
            return True
    first = words[0]
    is_bare = first.tag == "V" and lemma(first.low, "VERB") == first.low
    return is_bare and not is_noun(first.low) and "-" not in first.text


def _is_past(words: Sequence[Token]) -> bool:
    """Find the past tense: "the first thing was good" is about a result, not the picture."""
    main = next((w for w in words if w.tag in "XV"), None)
    return main is not None and main.low in _PAST


def _has_bare_verb(words: Sequence[Token]) -> bool:
    """Find an uninflected verb: "is go out"; "she gets …, fold it"; "a girl who stop"."""
    for at, word in enumerate(words):
        if word.low in _BE:
            rest = [w for w in words[at + 1 :] if w.tag not in "RE"]
            is_there = at == 1 and words[0].low == "there"
            if rest and rest[0].tag == "V" and _is_bare(rest[0].low) and not is_there:
                return True
            if len(rest) > 1 and rest[0].tag in "AV" and rest[1].low in _OBJECTS:
                return True
        if word.tag == "V" and at and _is_bare(word.low) and word.low not in {"left", "right"}:
            lead = next((w for w in reversed(words[:at]) if w.tag != "R"), None)
            if lead is None:
                continue
            is_one = lead.low in {"it", "he", "she"} and lead.tag == "O"
            if is_one and not (_may_be_bare(words[:at]) or any(w.low in _LED for w in words[:at])):
                return True
            if lead.low == "don't" and at > 1 and words[at - 2].tag == "N":
                return not _is_many(words[at - 2])
            is_joined = lead.tag == "C" or lead.text in {",", ";"}
            if is_joined and not _may_be_bare(words[:at]):
                return True
            if (
                lead.low == "who"
                and at > 1
                and words[at - 2].tag == "N"
                and not is_plural(words[at - 2].low)
            ):
                return not any(w.low == "and" or _is_many(w) for w in words[: at - 1])
    return False


def _may_be_bare(words: Sequence[Token]) -> bool:
    """Tell whether a bare verb may follow ``words``: a plural, "to", "can", "makes"."""
    return any(
        w.low in _TO_SEVERAL
        or _is_many(w)
        or (w.tag == "T" and at + 1 < len(words) and words[at + 1].tag == "V")
        for at, w in enumerate(words)
    )


def _is_bare(word: str) -> bool:
    base = lemma(word, "VERB")
    return (
        word == base
        and word not in {inflect(base, "VBN"), inflect(base, "VBD")}
        and not is_adjective(word)
    )


def _is_many(word: Token) -> bool:
    number = number_in(word.low)
    return (word.tag in "NO" and is_plural(word.low)) or (number is not None and number > 1)


def _has_lone_article(words: Sequence[Token]) -> bool:
    """Find an article without a noun: "there is a then pop", "strikes an of twice the size"."""
    for at, word in enumerate(words):
        if word.low not in _ARTICLES:
            continue
        after = words[at + 1] if at + 1 < len(words) else None
        if after is None or after.tag in "XITC." or after.low in _NEITHER | _ARTICLES:
            return not (after is not None and after.tag == "I" and is_noun(after.low))
    return False


def _has_no_verb(words: Sequence[Token]) -> bool:
    is_pair = len(words) == 2 and all(w.tag == "N" and is_plural(w.low) for w in words)
    return (words[0].low == "the" or is_pair) and not any(
        w.tag in "XV"
        or (w.tag == "G" and at > 1)
        or (w.tag in "NP" and lemma(w.low, "VERB") != w.low and not is_pair)
        for at, w in enumerate(words)
    )


def is_name_alone(text: str) -> bool:
    """Tell whether ``text`` is only a name with a relative clause: "a girl who waves"."""
    words = tagged(text.strip(" ."))
    if not words or words[0].low not in {"a", "an"}:
        return False
    at = next((n for n, w in enumerate(words) if w.tag == "W" or w.low in {"who", "that"}), 0)
    verbs = [
        n for n, w in enumerate(words) if w.tag in "XV" and (n == 0 or words[n - 1].tag != "T")
    ]
    return at > 1 and len(verbs) == 1 and verbs[0] > at


def _disagrees(words: Sequence[Token]) -> bool:
    """Find a singular verb after a plural: "two of them meets", "two girls in goggles pours"."""
    lead = number_in(words[0].low)
    verb = next((w for w in words if w.tag in "XV."), None)
    if lead is not None and lead > 1 and verb is not None and verb.tag != ".":
        ahead = words[1 : words.index(verb)]
        if any(w.tag == "N" and is_plural(w.low) for w in ahead[:3]) and _is_third(verb.low):
            return not any(w.tag in "WSC" for w in ahead)
    for at in range(3, len(words)):
        number = number_in(words[at - 3].low)
        is_several = (number is not None and number > 1) or words[at - 3].low in {"both", "several"}
        if is_several and words[at - 2].low == "of" and words[at].tag in "VX":
            return _is_third(words[at].low)
    return False


def _is_third(verb: str) -> bool:
    base = lemma(verb, "VERB")
    return verb in {"is", "has", "does"} or (verb != base and verb == inflect(base, "VBZ"))


def _is_misjoined(words: Sequence[Token]) -> bool:
    """Find a mismatched predicate: "it is feathers", "the wheel is overcast"."""
    low = [w.low for w in words]
    if low[:2] == ["it", "is"] and len(words) > 2 and words[2].tag == "N" and is_plural(low[2]):
        return True
    verb = next((at for at, w in enumerate(words) if w.low in _BE), 0)
    head = next((w.low for w in reversed(words[:verb]) if w.tag == "N"), "")
    return bool(head) and head not in _OUTSIDE and bool(_SKIES & set(low[verb + 1 : verb + 4]))


_SKIES: Final = frozenset(
    ["overcast", "sunny", "rainy", "foggy", "windy", "snowy", "cloudy", "stormy", "misty"]
)
_OUTSIDE: Final = frozenset(
    [
        "sky",
        "day",
        "weather",
        "morning",
        "afternoon",
        "evening",
        "night",
        "street",
        "sea",
        "coast",
        "outside",
        "scene",
        "place",
        "hill",
        "mountain",
        "valley",
        "beach",
        "city",
        "town",
        "village",
        "forest",
        "field",
        "road",
        "lake",
        "harbour",
        "harbor",
        "summit",
        "peak",
        "horizon",
        "season",
        "winter",
        "autumn",
    ]
)
"""Nouns that take a weather word as their predicate."""


_FAULTS: Final[Sequence[Callable[[Sequence[Token]], bool]]] = (
    _is_order, _is_past, _has_bare_verb, _has_lone_article, _has_no_verb, _disagrees, _is_misjoined,
)  # fmt: skip
