"""Guards what a language model writes: by evidence that it gives itself, and by a few hard checks.

A text that passes the hard checks is taken, whatever another reader makes of the idea; what the idea
names and the text does not show is told. Knows no endpoint.
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

from workbench.lexicon.languages import is_english, is_foreign, language_of, languages_in
from workbench.lexicon.morphology import lemma, lemmas
from workbench.lexicon.words import content_words, sentences, tokens

__all__ = ["fault_in", "is_document", "shows_nothing", "uncovered", "without_preamble"]

_QUOTED: Final = re.compile(r"[\"“«「„][^\"“”«»「」„]{0,300}[\"”»」]")
"""What is spoken or written within the shot: words there are the scene's, not the model's."""
_CAPITALS: Final = re.compile(r"\b([A-Z][^\W\d_]+)[  ]([A-Z][^\W\d_]{2,})\b")
_DANGLING: Final = re.compile(
    r"\b(?:and|but|as|while|when|until|before|after) (?:the|an?|its|her|his|their) \w+$",
    re.IGNORECASE,
)
"""The beginning of a clause at a text's end: "and the cam"."""
_STOP: Final = re.compile(r"[.!?。！？।]\s*\S")
_LONG_WORDS: Final = 15
"""Words above which a text without any full stop counts as cut off."""
_FEWEST_WORDS: Final = 4
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]{0,400}>")
_MOST_TAGS: Final = 6
_FEWEST_CHARACTERS: Final = 8
"""For scripts that write no spaces between words."""
_MOST_WORDS: Final = 400
_MOST_REPEATS: Final = 3
_LOST: Final = 0.75
"""Share of an idea's words that must be missing for a text to count as about something else."""
_LOST_ABROAD: Final = 0.6
"""The same where only the model's own evidence can tell."""
_FEWEST_SAID: Final = 3
_UNCLAIMED: Final = 2
"""Number of unclaimed words from which evidence without any word of the idea is not believed."""
_NOT_SAID: Final = frozenset(
    [
        "make",
        "made",
        "want",
        "video",
        "clip",
        "footage",
        "show",
        "showing",
        "shows",
        "please",
        "something",
        "scene",
        "shot",
        "film",
        "like",
        "just",
        "really",
        "kind",
        "sort",
        "thing",
        "things",
        "using",
        "doing",
        "get",
        "gets",
        "gonna",
        "wanna",
    ]
)
"""Words of an idea that name nothing to be seen."""


def fault_in(text: str, idea: str, *, longest: int) -> str:
    """Return why ``text`` cannot be the prompt for ``idea``; empty when it can.

    ``longest`` is the limit in characters. A text in the idea's own language or in English is fine.
    """
    spoken = " ".join(_QUOTED.sub(" ", text).split()).lower()
    letters = [c for c in text if c.isalpha()]
    words = tokens(text)
    if not letters or (len(words) < _FEWEST_WORDS and not _is_unspaced(text)):
        return "is empty or too short"
    if _is_unspaced(text) and len(letters) < _FEWEST_CHARACTERS:
        return "is empty or too short"
    if len(text) > longest or len(words) > _MOST_WORDS:
        return "is too long"
    if not _is_unspaced(text) and any(pattern.search(text) for pattern in _patterns("data")):
        return "is markup or code"
    for kind, fault in _KINDS:
        if any(pattern.search(spoken) for pattern in _patterns(kind)):
            return fault
    if _asks_back(spoken):
        return "talks about the task"
    if _is_list_of_tags(text) or _is_mash(text, idea):
        return "is no description"
    if _repeats(text):
        return "repeats itself"
    if _is_cut_off(text):
        return "is cut off"
    if not _is_language_of(text, idea):
        return "is in another language"
    if name := _added_person(text, idea.lower()):
        return f"adds a real person, {name}"
    return ""


def is_document(raw: str) -> bool:
    """Tell whether ``raw`` is a document of markup, which no stripping of tags makes a prompt."""
    return (
        "<|" in raw
        or len(_TAG.findall(raw)) >= _MOST_TAGS
        or raw.lstrip().lower().startswith(("<?xml", "<!doctype"))
    )


def without_preamble(text: str) -> str:
    """Return ``text`` without an opening such as "Here is your prompt:" and quotes around it all."""
    pattern = _data()["preambles"]
    rest = re.sub(rf"^\s*(?:{pattern})", "", text, flags=re.IGNORECASE).strip()
    if len(rest) > 1 and rest[0] in '"“' and rest[-1] in '"”' and not set(rest[1:-1]) & set('"“”'):
        rest = rest[1:-1].strip()
    return rest


def uncovered(idea: str, text: str, covers: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the content words of ``idea`` that ``text`` does not show, as they were said.

    A word is shown where the text has it in any form, or where ``covers`` (``said``, ``shown_as``)
    names words for it that stand in the text.
    """
    flat = _flat(text)
    claims = " ".join(
        _flat(str(one.get("said", "")))
        for one in covers
        if (shown := _flat(str(one.get("shown_as", "")))) and shown in flat
    )
    have = {form for word in tokens(text) for form in _forms(word)}
    said = {form for word in tokens(claims) for form in _forms(word)}
    missing = []
    for word in _said_words(idea):
        if _forms(word) & (have | said):
            continue
        if _is_unspaced(word) and (word in flat or _shares_half(word, claims)):
            continue
        missing.append(word)
    return tuple(dict.fromkeys(missing))


def shows_nothing(
    idea: str, text: str, missing: Sequence[str], covers: Sequence[Mapping[str, Any]]
) -> bool:
    """Tell whether ``text``, which lacks ``missing``, shows next to nothing of ``idea``.

    Evidence alone is not believed where no word of an English idea stands in the text and some are
    not even claimed; in another language it is all there is to go by, where there is any.
    """
    said = {
        word for word in _said_words(idea) if not set(lemmas(word)) <= {"ADV"} or not lemmas(word)
    }
    lost = len(said & set(missing))
    if is_foreign(idea) or not _is_latin(idea):
        is_told = bool(covers) and len(said) >= _FEWEST_SAID
        return is_told and lost >= _LOST_ABROAD * len(said)
    have = {form for word in tokens(text) for form in _forms(word)}
    is_literal = any(_forms(word) & have for word in said)
    if not is_literal and len(said) >= _FEWEST_SAID and lost >= _UNCLAIMED:
        return True
    return bool(said) and lost >= _LOST * len(said)


def _said_words(idea: str) -> list[str]:
    """Return the words of an idea that the text has to show."""
    return [
        word
        for word in content_words(idea)
        if word not in _NOT_SAID and (len(word) > 2 or _is_unspaced(word) or word.isdigit())
    ]


def _forms(word: str) -> frozenset[str]:
    low = word.lower()
    return frozenset({low, lemma(low, "NOUN"), lemma(low, "VERB"), lemma(low, "ADJ")})


def _shares_half(word: str, claims: str) -> bool:
    """Tell whether the claims hold most characters of a run that is written without spaces."""
    held = sum(character in claims for character in word)
    return 2 * held >= len(word)


_KINDS: Final = (
    ("refusals", "is a refusal"),
    ("refusals_within", "is a refusal"),
    ("chatter", "talks about the task"),
    ("chatter_within", "talks about the task"),
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


def _flat(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).lower().replace("’", "'").split())


def _is_unspaced(text: str) -> bool:
    """Tell whether most letters belong to a script that writes no spaces."""
    letters = [c for c in text if c.isalpha()]
    unspaced = sum(_script(c) in {"CJK", "HIRAGANA", "KATAKANA", "THAI"} for c in letters)
    return bool(letters) and 2 * unspaced > len(letters)


@cache
def _script(character: str) -> str:
    return unicodedata.name(character, "UNKNOWN").split()[0].split("-")[0]


def _is_language_of(text: str, idea: str) -> bool:
    """Tell whether ``text`` is in English or in a language that ``idea`` may be in."""
    used = Counter(_script(c) for c in text if c.isalpha())
    total = sum(used.values())
    allowed = {_script(c) for c in idea if c.isalpha()} | {"LATIN"}
    if allowed & {"HIRAGANA", "KATAKANA", "CJK"}:
        allowed |= {"HIRAGANA", "KATAKANA", "CJK"}
    if sum(n for script, n in used.items() if script not in allowed) > 0.2 * total:
        return False
    theirs = language_of(text)
    if used["LATIN"] < 0.8 * total or not theirs or theirs in languages_in(idea):
        return True
    kept = {w.lower() for w in tokens(idea) if len(w) > 3} & {w.lower() for w in tokens(text)}
    return bool(kept) or not (is_english(idea) or languages_in(idea))


def _is_latin(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return sum(_script(c) == "LATIN" for c in letters) > 0.8 * len(letters)


def _is_list_of_tags(text: str) -> bool:
    words = text.split()
    hashtags = sum(word.startswith("#") for word in words)
    symbols = sum(unicodedata.category(c) == "So" for c in text)
    if 2 * hashtags > len(words) or 8 * symbols > sum(c.isalpha() for c in text):
        return True
    if _is_unspaced(text):
        return False
    pieces = [p for p in re.split(r"[,;|\n]", text) if p.strip()]
    short = sum(len(p.split()) <= 3 for p in pieces)
    return len(pieces) >= 6 and short >= 0.85 * len(pieces)


def _is_mash(text: str, idea: str) -> bool:
    """Tell whether an answer to an English idea has hardly a word of any language."""
    words = [w.lower() for w in tokens(text) if w.isascii() and w.isalpha() and len(w) > 2]
    if len(words) < 3 or not is_english(idea) or language_of(text):
        return False
    known = sum(bool(lemmas(word)) for word in words)
    return 2 * known < len(words)


def _repeats(text: str) -> bool:
    several = Counter(s.lower() for s in sentences(text))
    if several and max(several.values()) > _MOST_REPEATS:
        return True
    words = [t.lower() for t in tokens(text)]
    runs = Counter(zip(words, words[1:], words[2:], strict=False))
    return bool(runs) and max(runs.values()) > max(_MOST_REPEATS, len(words) // 16)


def _is_cut_off(text: str) -> bool:
    """Tell whether the text breaks off. A missing full stop alone does not count."""
    bare = text.rstrip("\"'”’)» ")
    if bare.endswith((",", ";", ":", "-", "–", "—", "(")):
        return True
    if bare.endswith((".", "!", "?", "…", "。", "！", "？", "।", "؟")):
        return False
    if _is_unspaced(bare) or not is_english(bare):
        return bool(_STOP.search(bare)) or len(bare.split()) > _LONG_WORDS
    if _DANGLING.search(bare) and len(sentences(bare)) > 1:
        return True
    found = tokens(bare)
    last = found[-1].lower() if found else ""
    if last in _data()["unfinished"].split():
        return True
    kinds = lemmas(last)
    is_word = bool(kinds) or not last.isascii() or found[-1][:1].isupper() or last.isdigit()
    return not is_word or set(kinds) == {"ADJ"}


def _asks_back(text: str) -> bool:
    """Tell whether the text ends in a question, or half of it are questions."""
    several = sentences(text)
    asked = [one.rstrip("\"'”’").endswith(("?", "？", "؟")) for one in several]
    return any(asked[-2:]) or 2 * sum(asked) >= max(1, len(asked))


def _added_person(text: str, idea: str) -> str:
    """Return the full name of a person whom the idea does not name; empty where there is none."""
    low = text.lower()
    data = _data()
    people: Sequence[str] = data["people"]
    known = next((n for n in people if n in low and re.search(rf"\b{re.escape(n)}\b", low)), "")
    if known and known.split()[-1] not in idea:
        return known.title()
    given, places = set(data["given_names"].split()), set(data["after_place_names"].split())
    for first, second in _CAPITALS.findall(text):
        is_name = first.lower() in given and second.lower() not in places | given
        if is_name and first.lower() not in idea and second.lower() not in idea:
            return f"{first} {second}"
    return ""
