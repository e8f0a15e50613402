"""Rejects a language model's answers that cannot be a prompt, whatever the idea.

``evidence`` checks what the text shows of the idea. Knows no endpoint.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from workbench.lexicon.languages import is_english, language_of, languages_in
from workbench.lexicon.words import tokens
from workbench.prompts.language_models.writing.asked_language import asked_language
from workbench.prompts.language_models.writing.changes_of_language import changes_language
from workbench.prompts.language_models.writing.endings import has_no_start, is_cut_off
from workbench.prompts.language_models.writing.garbled import is_garbled
from workbench.prompts.language_models.writing.instructions import repeats_instruction
from workbench.prompts.language_models.writing.repetition import repeats_itself
from workbench.prompts.language_models.writing.scripts import (
    END_MARKS,
    is_unspaced,
    scripts_in,
    statements,
)

__all__ = ["fault_in", "is_document", "without_preamble"]

_QUOTED: Final = re.compile(
    r"[\"“«「『„][^\"“”«»「」『』„]{0,300}[\"”»」』“]|»[^«»]{0,300}«"
    r"|(?<!\w)['‘](?:[^'‘’]|(?<=\w)['’](?=\w)){3,300}['’](?!\w)|(?<!\S)—(?=\w)[^—]{0,300}(?:—|$)"
)
"""Speech and writing within the shot: words of the scene, not of the model."""
_CAPITALS: Final = re.compile(r"\b([A-Z][^\W\d_]+)[  ]([A-Z][^\W\d_]{2,})\b")
_FEWEST_WORDS: Final = 4
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]{0,400}>")
_SLOT: Final = re.compile(r"<([a-z][a-z_ -]{2,40})>")
_PIECES: Final = re.compile(r"<\||<0x[0-9A-F]{2}>|▁\S+▁|Ġ\S+Ġ")
"""Special tokens, bytes and word pieces of a model's vocabulary."""
_MOST_TAGS: Final = 6
_FEWEST_CHARACTERS: Final = 8
"""Minimum length in scripts without spaces between words."""
_MOST_WORDS: Final = 400
_GRADE: Final = re.compile(
    r"(?<![\d/.])\d{1,2}(?:[.,]\d)? ?(?:/ ?|out of |von |sur |su |из |من |av |na |op |z )(?:5|10|20|100|١٠)(?![\d/])"
    r"|[٠-٩]{1,2} (?:من|/) ?١٠|[:：] ?[a-f][+-]?(?=[.,;]|$)|[★☆]{2}|[2-5] (?:stars|out of five)"
)
"""Marks such as "7/10", "grade: c+"; the text is in lower case."""
_LABEL: Final = re.compile(r"(?:^|[.;!?。！] ?)[^\W\d_][^.:：;,。]{1,30}[:：]")
_MOST_OF_NO_REVIEW: Final = 2
_FEWEST_ORDERS: Final = 2
_LONGEST_OPENING: Final = 25
"""Maximum words of an opening such as "Here is your prompt:", in any language."""
_LONGEST_TITLE, _SHORTEST_TITLED = 10, 3
_LONGEST_TAG: Final = 7
"""Characters of a tag in scripts without spaces."""
_MOST_STRANGE: Final = 0.2
"""Maximum share of letters in scripts of other languages: names, signs."""
_FEWEST_KANA: Final = 0.1
"""Minimum share of kana for a text of Chinese characters to be Japanese."""
_LONG_HAN: Final = 24
"""Maximum characters of a Japanese text without any kana."""
_ASKED: Final = re.compile(
    r"\b(?:i (?:want|need|would like|was thinking)|i'd like|can (?:you|we|u)|could (?:you|we)|please|make (?:me|a video)|kinda|gimme)\b",
    re.IGNORECASE,
)
"""Instructions to a tool, which are never a prompt as they are."""
_LONGEST_ECHO_WORDS: Final = 20
"""Words above which an idea counts as a prompt, and may be returned unchanged."""


def fault_in(text: str, idea: str, *, longest: int, is_whole: bool = False) -> str:
    """Return why ``text`` cannot be the prompt for ``idea``; empty when it can.

    ``longest`` is the limit in characters. ``is_whole`` says that the text is known to have been
    ended by its writer. The text may be in the idea's language or in English.
    """
    letters = [c for c in text if c.isalpha()]
    words = tokens(text)
    if not letters or (len(words) < _FEWEST_WORDS and not is_unspaced(text)):
        return "is empty or too short"
    if is_unspaced(text) and len(letters) < _FEWEST_CHARACTERS:
        return "is empty or too short"
    if len(text) > longest or len(words) > _MOST_WORDS:
        return "is too long"
    if any(pattern.search(text) for pattern in _patterns("data")):
        return "is markup or code"
    spoken, shown = _without_quotes(text), _without_quotes(idea)
    for kind, fault in _KINDS:
        found = (pattern.search(spoken) for pattern in _patterns(kind))
        if any(one is not None and not (kind == "markup" and one[0] in shown) for one in found):
            return fault
    if _asks_back(spoken) or _gives_orders(spoken) or _is_review(spoken):
        return "talks about the task"
    if _speaks_for_itself(spoken, idea) or repeats_instruction(text):
        return "talks about the task"
    if _is_list_of_tags(text) or _is_title(text, words) or is_garbled(text, idea):
        return "is no description"
    if repeats_itself(text):
        return "repeats itself"
    if is_cut_off(text, is_whole=is_whole) or has_no_start(text):
        return "is cut off"
    if _is_echo(text, idea):
        return "only repeats the idea"
    if not _is_language_of(text, idea) or changes_language(_QUOTED.sub(" ", text)):
        return "is in another language"
    if name := _added_person(text, idea.lower()):
        return f"adds a real person, {name}"
    return ""


def _without_quotes(text: str) -> str:
    """Return ``text`` in lower case with all quotations empty."""
    return " ".join(_QUOTED.sub(" “” ", text).replace("’", "'").split()).lower()


def is_document(raw: str) -> bool:
    """Tell whether ``raw`` is markup or pieces of a model's vocabulary, unusable without its tags."""
    return (
        bool(_PIECES.search(raw))
        or len(_TAG.findall(raw)) >= _MOST_TAGS
        or _has_slots(raw)
        or raw.lstrip().lower().startswith(("<?xml", "<!doctype"))
    )


def _has_slots(raw: str) -> bool:
    """Tell whether ``raw`` is a form to fill in: "a <subject> moves through <place>"."""
    open_tags = Counter(_SLOT.findall(raw))
    kinds: Sequence[str] = _data()["tags"].split()
    slots = [name for name in open_tags if name not in kinds and f"</{name}" not in raw.lower()]
    return len(slots) > 1


def without_preamble(text: str) -> str:
    """Return ``text`` without an opening such as "Here is your prompt:" and enclosing quotes.

    Neither does a count of its words belong to it: "(87 words)".
    """
    pattern, count = _data()["preambles"], _data()["word_count"]
    rest = re.sub(rf"^\s*(?:{pattern})", "", text, flags=re.IGNORECASE).strip()
    rest = re.sub(rf"\s*(?:{count})\s*$", "", rest, flags=re.IGNORECASE)
    if len(rest) > 1 and rest[0] in '"“' and rest[-1] in '"”' and not set(rest[1:-1]) & set('"“”'):
        rest = rest[1:-1].strip()
    return rest


_KINDS: Final = (
    ("refusals", "is a refusal"),
    ("refusals_within", "is a refusal"),
    ("chatter", "talks about the task"),
    ("chatter_within", "talks about the task"),
    ("task_talk", "talks about the task"),
    ("markup", "is markup or code"),
    ("placeholders", "holds placeholders"),
)
_FROM_START: Final = frozenset({"refusals", "chatter"})


@cache
def _data() -> Mapping[str, Any]:
    folder = resources.files("workbench.prompts").joinpath("data")
    return tomllib.loads(folder.joinpath("guard.toml").read_text("utf-8"))


@cache
def _patterns(kind: str) -> tuple[re.Pattern[str], ...]:
    start = r"^[\s\"'“”*_]*" if kind in _FROM_START else ""
    return tuple(re.compile(f"{start}(?:{one})", re.IGNORECASE) for one in _data()[kind])


def _is_language_of(text: str, idea: str) -> bool:
    """Tell whether ``text`` is in English or in a language that ``idea`` may be in."""
    used = scripts_in(text)
    allowed = _scripts_for(idea) | {"LATIN"}
    strange = sum(count for script, count in used.items() if script not in allowed)
    if strange > _MOST_STRANGE * used.total() or _is_sister(text, idea):
        return False
    theirs = language_of(text)
    if asked := asked_language(idea):
        return asked == (theirs or "English")
    if used["LATIN"] < 0.8 * used.total() or not theirs or theirs in languages_in(idea):
        return True
    if theirs == language_of(idea):
        return True
    kept = {w.lower() for w in tokens(idea) if len(w) > 3} & {w.lower() for w in tokens(text)}
    is_known = language_of(idea) or is_english(idea)
    least = len(tokens(idea)) // 2 if is_known else 1  # languages share words: "sobre", "hamster"
    return len(kept) >= max(1, least) or not (
        is_english(idea) or language_of(idea) or languages_in(idea)
    )


def _scripts_for(idea: str) -> set[str]:
    """Return the scripts of ``idea``, and those used together with them."""
    asked: str = _data()["scripts"].get(asked_language(idea), "")
    allowed = {*scripts_in(idea), *asked.split()}
    if allowed & {"HIRAGANA", "KATAKANA", "CJK"}:
        allowed |= {"HIRAGANA", "KATAKANA", "CJK"}
    return allowed


def _is_sister(text: str, idea: str) -> bool:
    """Tell whether the texts are in two languages of one script: Chinese and Japanese."""
    used, asked = scripts_in(text), scripts_in(idea)
    kana = used["HIRAGANA"] + used["KATAKANA"]
    if asked["HIRAGANA"]:
        return used["CJK"] > _LONG_HAN and not kana
    alone: Mapping[str, str] = _data()["letters_alone"]
    is_chinese = asked["CJK"] > 0 and any(c in alone["Chinese"] for c in idea)
    if is_chinese:
        return kana > _FEWEST_KANA * used.total()
    ours = {name for name, letters in alone.items() if set(letters) & set(idea.lower())}
    theirs = {name for name, letters in alone.items() if set(letters) & set(text.lower())}
    return bool(ours) and bool(theirs) and not ours & theirs


def _is_echo(text: str, idea: str) -> bool:
    """Tell whether ``text`` repeats a short idea word for word, alone or behind a colon."""
    said = _low_tokens(idea)
    if len(said) > _LONGEST_ECHO_WORDS and not _ASKED.search(idea):
        return False
    ends = [0, *(m.end() for m in re.finditer("[:：]", text))]
    return any(
        _low_tokens(text[end:]) == said and len(tokens(text[:end])) <= _LONGEST_OPENING
        for end in ends
    )


def _low_tokens(text: str) -> list[str]:
    return [word.lower() for word in tokens(text)]


def _is_list_of_tags(text: str) -> bool:
    words = text.split()
    hashtags = sum(word.startswith("#") for word in words)
    symbols = sum(unicodedata.category(c) == "So" for c in text)
    if 2 * hashtags > len(words) or 8 * symbols > sum(c.isalpha() for c in text):
        return True
    pieces = [p for p in re.split(r"[,;|\n，、；]", text) if p.strip()]
    if is_unspaced(text):
        short = sum(len(p.strip()) <= _LONGEST_TAG for p in pieces)
    else:
        short = sum(len(p.split()) <= 3 for p in pieces)
    return len(pieces) >= 6 and short >= 0.85 * len(pieces)


def _is_title(text: str, words: Sequence[str]) -> bool:
    """Tell whether a text is only a title: "The Last Dance: A Cinematic Journey"."""
    long = [word for word in words if len(word) > _SHORTEST_TITLED]
    is_ended = text.rstrip("\"'”’)» ").endswith(tuple(END_MARKS))
    is_short = len(long) > 0 and len(words) <= _LONGEST_TITLE and not is_ended
    return is_short and len(long) > 1 and all(word[0].isupper() for word in long)


def _asks_back(text: str) -> bool:
    """Tell whether the text ends in a question, or half of its sentences are questions."""
    several = statements(text)
    asked = [one.rstrip("\"'”’)）").endswith(("?", "？", "؟")) for one in several]
    return any(asked[-2:]) or 2 * sum(asked) >= max(1, len(asked))


def _gives_orders(text: str) -> bool:
    """Tell whether half of the sentences tell a reader what to write: "Include the lens."."""
    several = [f" {one}" for one in statements(text) if any(map(str.isalpha, one))]
    orders = sum(any(pattern.search(one) for pattern in _patterns("orders")) for one in several)
    return orders >= min(_FEWEST_ORDERS, len(several)) and 2 * orders >= len(several)


def _is_review(text: str) -> bool:
    """Tell whether the text has the form of a review: grades behind labels, in any language."""
    graded = len(_GRADE.findall(text))
    labels = len(_LABEL.findall(text))
    return graded > 0 and graded + labels > _MOST_OF_NO_REVIEW


def _speaks_for_itself(text: str, idea: str) -> bool:
    """Tell whether the text says "I" where the idea does not ask for a first-person view."""
    said = idea.lower().replace("’", "'")
    words: Mapping[str, str] = _data()["first_person"]
    asked = words.get(language_of(text) or "English", "")
    return bool(asked) and bool(re.search(asked, text)) and not re.search(asked, said)


def _added_person(text: str, idea: str) -> str:
    """Return the full name of a person whom the idea does not name; empty if there is none."""
    low = text.lower()
    data = _data()
    people: Sequence[str] = data["people"]
    known = next((name for name in people if _names(low, name)), "")
    if known and known.split()[-1] not in idea:
        return known.title()
    given, places = set(data["given_names"].split()), set(data["after_place_names"].split())
    for first, second in _CAPITALS.findall(text):
        is_name = first.lower() in given and second.lower() not in places | given
        if is_name and first.lower() not in idea and second.lower() not in idea:
            return f"{first} {second}"
    return ""


def _names(text: str, person: str) -> bool:
    """Tell whether ``text`` names ``person``, as a word where the script has words."""
    if person not in text or is_unspaced(person):
        return person in text
    return re.search(rf"\b{re.escape(person)}", text) is not None
