"""Requests in the language of a foreign prompt: known terms are read, the rest is kept verbatim."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from workbench.actions.model import Action, AddBeat, EditField, RewriteSentence, Vary
from workbench.lexicon.languages import is_foreign, unread_words
from workbench.lexicon.words import sentences
from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.translating import bounded, english_of, is_dense
from workbench.prompts.intents.words import data

__all__ = ["KEPT", "is_foreign_prompt", "kept_verbatim"]

KEPT: Final = (
    "It is kept in your words, in your language. A language model would read and write it: connect one "
    "with WORKBENCH_LANGUAGE_PROVIDER."
)
"""The note on words that were added to the prompt untranslated."""
_WORDED: Final = frozenset(["time_of_day", "weather", "setting"])
_ASKS: Final = re.compile(r"[?？]\s*$")
_SAME: Final = re.compile(
    r"(?:sonst|alles andere|der rest) .*|(?:todo )?lo demás .*|el resto .*|le reste .*|tout le reste .*|o resto .*|"
    r"(?:tutto )?il resto .*|(?:他|ほか|あと)は(?:その|同じ).*|(?:其他|其它|别的|其余)的?(?:都|全|全部)?(?:不变|一样|别变|别动|不动|不要动|不要变|保持).*|(?:instagram|tiktok|whatsapp) ke liye|나머지는 .*|बाकी .*",
    re.IGNORECASE,
)
_PARTS: Final = re.compile(r"\s+और\s+|[。！!;\n]+|\.(?=\s|$)|[，、,]\s*")

Reader = Callable[[str], tuple[tuple[Action, ...], bool]]


def is_foreign_prompt(prompt: str) -> bool:
    """Tell whether ``prompt`` is in a language other than English."""
    return bool(is_foreign(prompt) or unread_words(prompt))


def kept_verbatim(text: str, context: Context, read_english: Reader) -> Candidate | None:
    """Return the candidate for a request in the language of the prompt; None for an English prompt.

    ``read_english`` reads the parts that translate completely. It returns their actions and whether
    it understood them.
    """
    if not is_foreign_prompt(context.prompt) or _ASKS.search(text):
        return None
    actions: list[Action] = []
    told: list[str] = []
    swapped = _swapped(text, context)
    if swapped is not None:
        actions.append(swapped[0])
        text = text.replace(swapped[1], "")
    for part in (p.strip() for p in _PARTS.split(text)):
        if not re.search(r"\w", part) or _SAME.fullmatch(part):
            continue
        english = english_of(part) or session_wish(part)
        if english is None and (_OF_SESSION.search(part) or _LIKED.search(part)):
            return None
        made, is_read = read_english(english) if english is not None else ((), False)
        if is_read and all(isinstance(a, EditField) and a.field in _WORDED for a in made):
            own = [_in_its_words(a, part, context) for a in made if isinstance(a, EditField)]
            actions += [a for a in own if a is not None]
            told += [_plain(part)] if not any(own) and made else []
        elif is_read:
            actions += made
        elif (count := _versions(part)) is not None:
            actions.append(Vary(count=count))
        elif (gone := _removed(part, context)) is not None:
            actions.append(gone)
        elif _CHANGES.search(part):
            return None  # a change to existing content: adding words would contradict it
        elif (said := _plain(part)) and said.lower() not in context.prompt.lower():
            told.append(said)
    if any(isinstance(a, Vary) for a in actions):
        told = []
    if told:
        mark, end = (
            ("、", "。")
            if re.search(r"[\u3040-\u30ff\u3400-\u9fff]", "".join(told))
            else (", ", ".")
        )
        sentence = mark.join(told)
        sentence = f"{sentence[:1].upper()}{sentence[1:]}{end}"
        actions.append(AddBeat(text=sentence.rstrip(".。"), told=sentence))
    return (
        Candidate(tuple(actions), 0.7, help=KEPT if told else "", intent="verbatim")
        if actions
        else None
    )


_CHANGES: Final = re.compile(
    r"\b(?:finalement|plutôt|remplace\w*|change[zr]?|au lieu|pas de|kein(?:e|en)?|lieber|stattdessen|nicht mehr|ersetz\w*|"
    r"cambia\w*|en lugar|en vez|de hecho|ya no|que se quede|troca\w*|mud[ae]\w*|em vez|na verdade|não mais|cambi\w*|invece|anzi|non più)\b|"
    r"改成|换成|變成|变成|不要|还是|别|去掉|停了|やっぱり|じゃなく|ではなく|に変え|やめ|止ん|말고|바꿔|대신|그쳤|그만|कर दो|दिखाओ|बंद|के बजाय|नहीं",
    re.IGNORECASE,
)
"""Words of a change, a correction or a command; added to the prompt, they would contradict it."""
_NUMERALS: Final = {"十五": 15, "二十": 20, "三十": 30, "十": 10, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4,
                    "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}  # fmt: skip
_LENGTH: Final = re.compile(
    r"(?P<number>\d{1,3}|二十|三十|十五|[一二两三四五六七八九十])\s*(?:秒|초|सेकंड|सेकेंड|segundos?|secondes?|sekunden?|secondi)",
    re.IGNORECASE,
)
_RATIO: Final = re.compile(r"(?<![\d:])(\d{1,2}(?:[.,]\d+)?)\s?[:：]\s?(\d{1,2})(?![\d:])")
_OTHER_SEED: Final = re.compile(
    r"(?:autre|nouvelle) graine|autre seed|(?:otra|nueva) semilla|otro seed|(?:anderer|neuer|anderen|neuen|anderem) seed|"
    r"(?:outra|nova) (?:semente|seed)|(?:altro|nuovo) seed|(?:別|違う|新しい)の?シード|换.{0,3}种子|另.{0,3}种子|(?:다른|새) 시드|(?:दूसरा|नया) सीड",
    re.IGNORECASE,
)
_OF_SESSION: Final = re.compile(
    r"\b(?:graines?|semillas?|sementes?|seeds?|render\w*|versione?s?|versões|varianten?|variantes?|fps|deshaz|deshacer|undo|último|última|letzte\w*|zurück|dernier|dernière|"
    r"annul\w*|desfa\w*|duración|durée|dauer|duração|durata|segundos?|secondes?|sekunden?|secondi|instagram|whatsapp|tiktok)\b|"
    r"秒|时长|時長|长度|尺|戻して|戻す|戻し|元に|撤销|恢复|回到|种子|シード|シード値|版本|バージョン|되돌|시드|초로|초짜리|버전|सीड|सेकंड|वापस",
    re.IGNORECASE,
)
"""Words about the render or the session, never about a scene."""
_LIKED: Final = re.compile(
    r"\b(?:me gusta|me encanta|j'aime bien|gefällt|gosto d|gostei|mi piace|trop|zu (?:klein|groß|schnell|langsam|hell|dunkel)|demasiado|demais|troppo)\b|好看|喜欢|太.{1,3}了|すぎる|好き|너무|좋아|पसंद|बहुत ज्यादा",
    re.IGNORECASE,
)
"""Words of praise or complaint."""


def session_wish(part: str) -> str | None:
    """Return a request for length, format or seed in English; None if ``part`` has none."""
    for form in (_LENGTH, _RATIO, _OTHER_SEED):
        found = form.search(part)
        if found is None:
            continue
        rest = re.sub(r"[\s\W_]+", " ", form.sub(" ", part)).strip()
        if len(rest) > (_FEW if is_dense(rest) else 3 * _FEW):
            return None
        if form is _OTHER_SEED:
            return "another seed"
        if form is _RATIO:
            return f"{found[1]}:{found[2]}"
        number = found["number"]
        return f"{number if number.isdigit() else _NUMERALS[number]} seconds"
    return None


_FEW: Final = 8
"""Maximum letters beside a render setting in a dense script; three times as many elsewhere."""


def _in_its_words(action: EditField, part: str, context: Context) -> Action | None:
    """Return the edit that replaces the old value in the prompt with the user's words."""
    old = str(getattr(context.scene, action.field))
    said = str(data("languages")["phrases"].get(old, "")).split("|")
    for phrase in sorted(filter(None, said), key=len, reverse=True):
        for sentence in sentences(context.prompt):
            found = re.search(bounded(phrase), sentence, re.IGNORECASE)
            if found is not None:
                after = sentence[: found.start()] + _plain(part) + sentence[found.end() :]
                return RewriteSentence(before=sentence, after=after)
    return None


@cache
def _form(name: str, form: str) -> re.Pattern[str]:
    return re.compile(form.format(data("languages")["kept"][name]), re.IGNORECASE)


def _plain(part: str) -> str:
    """Return ``part`` without words of asking."""
    lead = _form("lead", r"(?:{0})(?:(?<=[^\x00-\u02ff])|\s+|$)")
    while (found := lead.match(part)) and found.end() < len(part):
        part = part[found.end() :].strip(" ,")
    trail = _form("trail", r"\s*(?:{0})$")
    trimmed = trail.sub("", part).strip(" ,")
    part = trimmed or part
    for old, new in data("languages")["kept"]["within"]:
        part = re.sub(old, new, part)
    return part


def _removed(part: str, context: Context) -> Action | None:
    """Return the action that cuts what ``part`` names, or adds it to the negative prompt."""
    behind = _form("removing_behind", r"(.+?)\s*(?:{0})$").match(part)
    ahead = _form("removing", r"(?:{0})(?:(?<=[^\x00-\u02ff])|\s+)(.+)").match(part)
    found = behind or ahead
    if found is None:
        return None
    what = re.sub(
        r"^(?:a |al |el |la |los |las |le |les |l'|der |die |das |den |o |os |as |il |lo |gli |más |mais )+",
        "",
        found[1].strip(),
        flags=re.IGNORECASE,
    )
    what = re.sub(r" mehr$| weg$| raus$", "", what)
    head = what if is_dense(what) else what.split()[0]
    for sentence in sentences(context.prompt):
        pieces = re.split(r"([，、,]\s*)", sentence)
        at = next((n for n in range(2, len(pieces), 2) if head.lower() in pieces[n].lower()), None)
        if at is not None:
            end = "" if sentence[-1:] not in ".。" or pieces[at][-1:] not in ".。" else sentence[-1]
            after = "".join([*pieces[: at - 1], *pieces[at + 1 :]]) + end
            return RewriteSentence(before=sentence, after=after)
    listed = [x.strip() for x in context.scene.negative_prompt.split(",") if x.strip()]
    return EditField(field="negative_prompt", value=", ".join([*listed, what]))


def _swapped(text: str, context: Context) -> tuple[Action, str] | None:
    """Return the edit for "X instead of Y" and the words it covers; None if the prompt lacks Y."""
    for form in data("languages")["kept"]["instead"]:
        found = re.search(form, text, re.IGNORECASE)
        if found is None:
            continue
        old, new = found["old"].strip(), _plain(found["new"].strip())
        if not old or not new:
            continue
        for sentence in sentences(context.prompt):
            at = sentence.lower().find(old.lower())
            if at >= 0:
                after = sentence[:at] + new + sentence[at + len(old) :]
                return RewriteSentence(before=sentence, after=after), found[0]
    return None


def _versions(part: str) -> int | None:
    """Return the number of versions that a part asks for, 1 to 64, or None."""
    found = re.search(data("languages")["kept"]["versions"], part, re.IGNORECASE)
    if found is None:
        return None
    said = found["count"] or found["after"] or ""
    digits = re.search(r"\d+", said)
    known = dict(pair.split("=") for pair in str(data("languages")["kept"]["numbers"]).split())
    number = int(digits[0]) if digits else int(known.get(said, known.get(said[-1:], "0")))
    return number if 1 <= number <= 64 else None
