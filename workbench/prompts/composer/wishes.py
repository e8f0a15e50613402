"""Understands one wish of a tuning request: which fields it sets, and to what.

A wish is a few words in lower case, such as "make it night" or "give him a red hat". Each rule
answers with the values it would set, or None when the wish is not its business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from workbench.prompts.composer.facts import ground
from workbench.prompts.composer.grammar import head_of, read_clause
from workbench.prompts.composer.lexicon import (
    ANIMATE,
    find_terms,
    load,
    place_named,
    subject_kind,
    word_list,
)
from workbench.prompts.composer.reading import read, with_article
from workbench.prompts.composer.words import (
    DETERMINERS,
    inflect,
    is_adjective,
    is_noun,
    is_plural,
    is_verb,
    lemma,
)
from workbench.scene import SCENE_FIELDS, Scene, canonical_term, terms

__all__ = ["Values", "field_named", "understand_wish"]

Values = dict[str, str | tuple[str, ...]]
_LEAD: Final = re.compile(
    r"^(?:(?:make|turn|change|switch|set|render|shoot|film|have|let|put|use|add|give|do|go|get|with|in|into|to|as|a|an|"
    r"the|it|this|that|scene|shot|video|whole|thing|everything|look|looks|be|is|more|very|much|bit|of|some|"
    r"feel|feels|all|at|on|by|during|from|style|for|like|him|her|them|take|place|happen|happening|really|"
    r"super|even|little|way|lot|quite|set|we|should|want|see|were|was|now|camera|move|movement|atmosphere|mood|lighting|light|weather|time|day|version|kind|sort|"
    r"lit|slowly|slow|gently|image|picture|colors|colours|color|colour|prompt|clip|use)\s+)+"
)
_TERM_ORDER: Final = (
    "time_of_day",
    "weather",
    "camera_movement",
    "shot_size",
    "camera_angle",
    "lens",
    "pace",
    "lighting",
    "style",
    "mood",
    "color_palette",
)
_NUMBERS: Final = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "a dozen": 12,
    "a couple of": 2,
}
_PRONOUNS: Final = "it|him|her|them|he|she|they"


def understand_wish(wish: str, scene: Scene) -> Values | None:
    """Return the values that ``wish`` asks for, or None when no rule understands it."""
    for rule in _RULES:
        values = rule(wish, scene)
        if values is not None:
            return values
    return None


def field_named(text: str) -> str | None:
    """Return the scene field that people mean by ``text``, such as "light" or "camera angle"."""
    low = re.sub(r"^(?:the|its|his|her|this|that|same)\s+", "", text.strip().lower())
    low = re.sub(r"^(?:the|same)\s+", "", low)
    names: Mapping[str, str] = load("requests")["names"]
    for field, phrases in names.items():
        if low in phrases.split("|"):
            return field
    normal = low.replace(" ", "_")
    return normal if normal in SCENE_FIELDS else None


@cache
def _compiled(section: str) -> tuple[tuple[re.Pattern[str], Mapping[str, Any]], ...]:
    entries: Sequence[Mapping[str, Any]] = load("requests")[section]
    return tuple((re.compile(rf"(?:{e['when']})\Z", re.IGNORECASE), e) for e in entries)


def _step(wish: str, scene: Scene) -> Values | None:
    for pattern, entry in _compiled("step"):
        match = pattern.match(wish)
        if match is None:
            continue
        field = entry["field"]
        groups = match.groupdict()
        size = 2 if any(v for k, v in groups.items() if k.startswith("much")) else 1
        ladder = entry.get("ladder")
        if ladder:
            return _step_ladder(scene, entry, size)
        steps = terms(field)
        if field == "pace":
            steps = steps if scene.pace == "time-lapse" else steps[:-1]
        here = getattr(scene, field)
        start = steps.index(here) if here in steps else steps.index(_MIDDLE[field])
        at = min(max(start + entry["by"] * size, 0), len(steps) - 1)
        if field == "pace" and at == 0 and entry["by"] < 0:
            at = 1
        return {field: steps[at]}
    return None


_MIDDLE: Final = {"shot_size": "medium shot", "pace": "real time", "time_of_day": "midday"}


def _step_ladder(scene: Scene, entry: Mapping[str, Any], size: int) -> Values:
    ladder: list[str] = entry["ladder"]
    field, by = entry["field"], entry["by"]
    here = getattr(scene, field)
    if here not in ladder:
        start = {"fog": "mist", "rain": "rain", "snow": "snow", "cloud": "overcast"}[entry["of"]]
        return {field: start} if by < 0 else {}
    at = ladder.index(here) + by * size
    return {field: ladder[min(max(at, 0), len(ladder) - 1)]}


def _table(wish: str, _scene: Scene) -> Values | None:
    for pattern, entry in _compiled("set"):
        if pattern.match(wish):
            return {entry["field"]: entry["value"]}
    return None


def _field_assignment(wish: str, scene: Scene) -> Values | None:
    """Understand "set the weather to rain", "weather: rain", "change the subject to a cat"."""
    match = re.match(
        r"(?:set|change|switch|make|turn|put|move)?\s*(?:the |its )?([a-z_ ]+?)\s*(?:to be|to|into|:|=|as|should be|is)\s+(.+)\Z",
        wish,
    )
    if match is None:
        return None
    field = field_named(match[1])
    if field is None:
        return None
    return _value_for(field, match[2].strip(), scene)


def _value_for(field: str, text: str, scene: Scene) -> Values | None:
    bare = re.sub(r"^(?:an?|the|be|more|very)\s+", "", text)
    if text in {"nothing", "none", "empty"}:
        return {field: ""}
    if terms(field):
        term = canonical_term(field, bare) or canonical_term(field, text)
        if term is None:
            term = next((t.term for t in find_terms(text) if t.field == field), None)
        if term is not None:
            return {field: term}
        other = _by_term(text, scene)
        if other is not None and field != "style":
            return other
        return {field: text} if field in {"style", "color_palette", "lighting", "mood"} else None
    if field == "details":
        return {field: (*scene.details, text)}
    if field == "action":
        return {field: _acting(text)}
    return {field: with_article(text) if field in {"subject", "setting"} else text}


def _remove(wish: str, scene: Scene) -> Values | None:
    if _exact_term(wish) is not None:
        return None
    match = re.match(
        r"(?:remove|delete|stop|end|drop|lose|take out|take away|get rid of|without|no more|no|erase|cut|ditch|skip|leave out|clear|eliminate|omit|there should be no|hide|exclude|avoid|i don't want|i don't like|i do not want|i do not like|don't like|don't want|do not show|don't show)\s+(?:any\s+|all\s+|of\s+)?(?:the\s+)?(.+)\Z",
        wish,
    ) or re.match(r"(?:take|leave) (?:the )?(.+) (?:out|away|off)\Z", wish)
    if match is None:
        return None
    what = match[1].strip()
    field = field_named(what)
    if field is not None and field not in {"subject", "setting"}:
        return {field: () if field == "details" else ""}
    held = _held_terms(what, scene)
    if held:
        return held
    if scene.subject and " and " not in scene.subject and _mentions(scene.subject, what):
        return None
    for detail in scene.details:
        if _mentions(detail, what):
            return {"details": tuple(d for d in scene.details if d != detail)}
    if scene.subject_details and _mentions(scene.subject_details, what):
        return {"subject_details": ""}
    values = _remove_from_subject(what, scene)
    if values is not None:
        return values
    term = _by_term(what, scene)
    if term is not None and not any(getattr(scene, f) == v for f, v in term.items()):
        return _barred(what, scene)
    if len(what.split()) <= 4 and is_noun(head_of(what)):
        return _barred(what, scene)
    return None


def _barred(what: str, scene: Scene) -> Values:
    listed = [x.strip() for x in scene.negative_prompt.split(",") if x.strip()]
    return {"negative_prompt": ", ".join([*listed, *([what] if what not in listed else [])])}


def _held_terms(what: str, scene: Scene) -> Values:
    found: Values = {}
    for term in find_terms(what):
        if getattr(scene, term.field) == term.term:
            found[term.field] = (
                "clear" if term.field == "weather" and "sky" in ground(scene).facts else ""
            )
    for name in _TERM_ORDER:
        term_said = canonical_term(name, what)
        if term_said is not None and getattr(scene, name) == term_said:
            found.setdefault(name, "clear" if name == "weather" else "")
    if not found:
        bare = lemma(what.rsplit(maxsplit=1)[-1], "NOUN")
        families = {
            "rain": ("rain", "drizzle", "heavy rain"),
            "snow": ("snow", "blizzard"),
            "fog": ("fog", "mist"),
            "cloud": ("overcast", "partly cloudy"),
            "storm": ("thunderstorm", "dust storm"),
            "wind": ("wind",),
        }
        if scene.weather in families.get(bare, ()):
            return {"weather": "clear"}
    return found


def _mentions(text: str, what: str) -> bool:
    have = {lemma(w, "NOUN") for w in re.findall(r"\w+", text.lower())}
    want = {lemma(w, "NOUN") for w in re.findall(r"\w+", what.lower()) if w not in DETERMINERS}
    return bool(want) and want <= have


def _remove_from_subject(what: str, scene: Scene) -> Values | None:
    parts = re.split(r"\s+and\s+", scene.subject)
    if len(parts) > 1:
        left = [p for p in parts if not _mentions(p, what)]
        if len(left) < len(parts) and left:
            return {"subject": " and ".join(left)}
    return None


def _one_more(wish: str, scene: Scene) -> Values | None:
    """Understand "add another dog", "one more horse", "more dogs" when dogs are the subject."""
    match = re.match(
        r"(?:add\s+|have\s+|show\s+)?(?:an?\s+(?:second|third|fourth|fifth)|another|one more|more|an extra)\s+(\w+)\Z",
        wish,
    )
    if match is None or not scene.subject or " and " in scene.subject:
        return None
    head = head_of(scene.subject)
    if lemma(match[1], "NOUN") != lemma(head, "NOUN"):
        return None
    first = scene.subject.split()[0].lower()
    have = _NUMBERS.get(first, 2 if is_plural(head) else 1)
    return {"subject": _counted(scene.subject, have + 1)}


def _described(wish: str, scene: Scene) -> Values | None:
    """Understand "make the dog bigger", "make it look old": a quality of the subject."""
    match = re.match(
        rf"(?:make|have)\s+(?:{_PRONOUNS}|the (?:{_subject_words(scene)}))\s+(?:look\s+|appear\s+|be\s+)?(?:more\s+|very\s+|much\s+|a bit\s+)*([a-z]+)\Z",
        wish,
    )
    if match is None or not scene.subject:
        return None
    word = lemma(match[1], "ADJ")
    if (
        not is_adjective(match[1])
        or is_verb(match[1])
        or place_named(word)
        or any(canonical_term(f, word) for f in _TERM_ORDER)
    ):
        return None
    words = scene.subject.split()
    lead = words[:1] if words[0].lower() in DETERMINERS else []
    rest = [w for w in words[len(lead) :] if w.lower() != word]
    bare_article = not lead or lead[0].lower() in {"a", "an"}
    phrase = " ".join([word, *rest])
    return {"subject": with_article(phrase) if bare_article else f"{lead[0]} {phrase}"}


def _reveal(wish: str, scene: Scene) -> Values | None:
    """Understand "zoom out to reveal a castle": a movement, and what it shows."""
    match = re.match(r"(.+?)\s+(?:to|and)\s+(?:reveal|show|see|find)\s+(.+)\Z", wish)
    if match is None:
        return None
    moved = _exact_term(match[1]) or _table(match[1], scene)
    if not moved or "camera_movement" not in moved:
        return None
    return {**moved, "details": (*scene.details, with_article(match[2]))}


def _less(wish: str, scene: Scene) -> Values | None:
    """Understand "less joyful", "not so tense": away from the mood that is set."""
    match = re.match(
        r"(?:make it\s+)?(?:a bit\s+|much\s+|a lot\s+)?(?:less|not (?:so|too|as|that))\s+([\w-]+)\Z",
        wish,
    )
    term = canonical_term("mood", match[1]) if match else None
    if term is None:
        return None
    if scene.mood != term:
        return {}
    return {"mood": "energetic" if term == "calm" else "calm"}


def _season(wish: str, _scene: Scene) -> Values | None:
    match = re.match(
        r"(?:make it |set it |now |put it )*(?:in |during )?(?:the )?(winter|autumn|fall)\Z", wish
    )
    if match is None:
        return None
    return {"weather": "snow" if match[1] == "winter" else "falling leaves"}


def _count(wish: str, scene: Scene) -> Values | None:
    """Understand "two dogs", "make it three", "only one", "there should be five of them"."""
    number = "|".join(_NUMBERS)
    match = re.match(
        rf"(?:(?:make|have|show|use|put|there should be|there are|add|with|i want)\s+)?(?:it |them |that )?(?:only |just |exactly )?({number}|\d+)(?: of (?:them|those|these))?(?:\s+(?!more\b)([\w\s]+?))?(?: instead)?\Z",
        wish,
    )
    if match is None or not scene.subject:
        return None
    if match[0] == match[1] and match[1].isdigit():
        return None
    count = _NUMBERS.get(match[1]) or int(match[1])
    noun = head_of(scene.subject)
    said = (match[2] or "").strip()
    if said and lemma(said.split()[-1], "NOUN") != lemma(noun, "NOUN"):
        return None
    return {"subject": _counted(scene.subject, count)}


def _counted(subject: str, count: int) -> str:
    words = [w for i, w in enumerate(subject.split()) if not (i == 0 and w.lower() in DETERMINERS)]
    head = head_of(" ".join(words))
    single = lemma(head, "NOUN")
    form = single if count == 1 else inflect(single, "NNS")
    at = next((i for i, w in enumerate(words) if w.lower() == head), len(words) - 1)
    words[at] = form
    spelled = next((w for w, n in _NUMBERS.items() if n == count and " " not in w), str(count))
    return with_article(" ".join(words)) if count == 1 else f"{spelled} {' '.join(words)}"


def _replace(wish: str, scene: Scene) -> Values | None:
    """Understand "replace the dog with a cat", "a cat instead of the dog", "turn him into a robot"."""
    match = re.match(
        r"(?:replace|swap|substitute|exchange|trade)\s+(?:out\s+)?(?:the\s+|this\s+|that\s+|an?\s+)?(.+?)\s+(?:with|for|by|to)\s+(.+)\Z",
        wish,
    ) or re.match(
        r"(?:change|turn|switch|transform|convert|make)\s+(?:the\s+|this\s+|that\s+|an?\s+)?(.+?)\s+(?:to|into)\s+(?:be\s+)?(.+)\Z",
        wish,
    )
    if match:
        return _swap(match[1], match[2], scene)
    match = re.match(
        r"(?:use\s+|have\s+|make it\s+|show\s+|put\s+)?(.+?)\s+(?:instead of|rather than|in place of|not)\s+(?:the\s+|an?\s+)?(.+)\Z",
        wish,
    )
    if match:
        return _swap(match[2], match[1], scene)
    match = re.match(r"(?:make|turn|change)\s+(?:the\s+)?(\w+(?: \w+)?)\s+(an?\s+.+)\Z", wish)
    if match and not re.match(rf"(?:{_PRONOUNS}|this|that|everything|scene|shot)\b", match[1]):
        return _swap(match[1], match[2], scene)
    return None


def _swap(old: str, new: str, scene: Scene) -> Values | None:
    old, new = re.sub(r"^(?:her|his|its|their)\s+(?=\w)", "", old.strip()), new.strip()
    if field := field_named(old):
        return _value_for(field, new, scene)
    if old in _PRONOUNS.split("|") or old in {"this", "that"}:
        if (values := _by_term(new, scene)) is not None and subject_kind(head_of(new)) is None:
            return values
        return {"subject": with_article(new)}
    held = _held_terms(old, scene)
    if held:
        return _by_term(new, scene)
    if scene.subject and _mentions(scene.subject, old):
        if new in word_list("colors"):
            return _coloured(scene, new)
        parts = re.split(r"\s+and\s+", scene.subject)
        if len(parts) > 1:
            return {
                "subject": " and ".join(
                    with_article(new) if _mentions(p, old) else p for p in parts
                )
            }
        return {"subject": with_article(new)}
    for detail in scene.details:
        if _mentions(detail, old):
            return {
                "details": tuple(with_article(new) if d == detail else d for d in scene.details)
            }
    if scene.setting and _mentions(scene.setting, old):
        return {"setting": with_article(new)}
    if scene.subject_details and _mentions(scene.subject_details, old):
        if new.split()[0] in {"a", "an"} and scene.subject_details.startswith("wearing"):
            return {"subject_details": f"wearing {new}"}
        pattern = re.compile(re.escape(old), re.IGNORECASE)
        return {"subject_details": pattern.sub(re.sub(r"^an?\s+", "", new), scene.subject_details)}
    if scene.action and _mentions(scene.action, old):
        return {"action": re.sub(re.escape(old), new, scene.action, flags=re.IGNORECASE)}
    return None


def _colour(wish: str, scene: Scene) -> Values | None:
    """Understand "make the car blue", "a red one", "paint it green", "the dog should be white"."""
    colors = "|".join(sorted(word_list("colors"), key=len, reverse=True))
    match = re.match(
        rf"(?:(?:make|paint|colou?r|turn|dye|have|let)\s+)?(?:(?:the|her|his|its|their)\s+)?([\w ]+?)?\s*(?:(?:should )?be\s+|is\s+|in\s+|to\s+)?((?:(?:dark|light|bright|pale|deep)\s+)?(?:{colors}))(?: one)?\Z",
        wish,
    )
    if match is None or not scene.subject:
        return None
    who = (match[1] or "").strip()
    if who.startswith(("light", "sky", "color", "palette", "tone")):
        return None
    if not who or who in {"it", "him", "her", "them", "a", "subject"}:
        if not re.match(r"(?:make|paint|colou?r|turn|dye|a )", wish) or canonical_term(
            "color_palette", match[2]
        ):
            return None
        return _coloured(scene, match[2])
    if _mentions(scene.subject, who):
        return _coloured(scene, match[2], who)
    if scene.subject_details and _mentions(scene.subject_details, who):
        noun = who.split()[-1]
        text = re.sub(
            rf"\b(?:(?:{colors})\s+)?{noun}\b", f"{match[2]} {noun}", scene.subject_details
        )
        return {"subject_details": re.sub(r"\b(an?) (?=\w)", "a ", text)}
    if subject_kind(who.split()[-1]) == "object" or who.split()[-1] in word_list("clothing"):
        return {"subject_details": _worn(scene, f"{match[2]} {who}")}
    return None


def _coloured(scene: Scene, colour: str, who: str = "") -> Values:
    colors = word_list("colors")
    parts = re.split(r"(\s+and\s+)", scene.subject)
    for i, part in enumerate(parts):
        if i % 2 == 0 and (not who or _mentions(part, who)):
            words = part.split()
            lead = words[:1] if words[0].lower() in DETERMINERS else []
            rest = [
                w
                for w in words[len(lead) :]
                if w.lower() not in colors | {"dark", "light", "bright", "pale"}
            ]
            if lead and lead[0].lower() in {"a", "an"}:
                parts[i] = with_article(" ".join([colour, *rest]))
            else:
                parts[i] = " ".join([*lead, colour, *rest])
            break
    return {"subject": "".join(parts)}


def _clothes(wish: str, scene: Scene) -> Values | None:
    match = re.match(
        rf"(?:give|put|dress|have)\s+(?:{_PRONOUNS}|the [\w ]+?)\s+(?:wear(?:ing)?\s+|on\s+|in\s+|with\s+)?((?:an?|some|the)?\s*.+)\Z",
        wish,
    )
    if match is None:
        match = (
            re.match(
                rf"(?:(?:make\s+)?(?:{_PRONOUNS}|the [\w ]+?)\s+)?(?:should\s+)?(?:be\s+)?(?:wears?|wearing|dressed in|in)\s+((?:an?|some)?\s*.+)\Z",
                wish,
            )
            if re.search(r"\b(?:wear|dressed)", wish)
            else None
        )
    if match is None:
        match = re.match(r"put\s+((?:an?|some)\s+.+?)\s+on\s+(?:him|her|it|them|the \w+)\Z", wish)
    if match is None or not scene.subject:
        return None
    item = match[1].strip()
    worn = (
        bool(set(item.split()) & (word_list("clothing") - word_list("colors")))
        or "wear" in wish
        or "dress" in wish
    )
    if worn or (re.match(r"(?:give|put)\b", wish) and subject_kind(head_of(item)) == "object"):
        return {"subject_details": _worn(scene, item) if worn else f"with {with_article(item)}"}
    if wish.startswith("give"):
        return {"subject_details": f"with {with_article(item)}"}
    return None


def _worn(_scene: Scene, item: str) -> str:
    item = re.sub(r"^some\s+", "", item)
    return f"wearing {with_article(item)}"


def _do(wish: str, scene: Scene) -> Values | None:
    """Understand "make him jump", "the dog should sleep", "have her dancing in the rain", "jumping"."""
    match = re.match(
        rf"(?:make|have|let|get|show|see)\s+(?:{_PRONOUNS}|the [\w ]+?|everyone|{_subject_words(scene)})\s+(?:to\s+)?(?:be\s+)?([a-z]+(?:ing)?\b.*)\Z",
        wish,
    )
    if match is None:
        match = re.match(
            rf"(?:{_PRONOUNS}|the \w+|{_subject_words(scene)})\s+(?:should|could|must|needs to|has to|is|are|can|'s|starts?|start to|begins? to)\s+(?:be\s+)?([a-z]+.*)\Z",
            wish,
        )
    if match is None:
        match = re.match(r"([a-z]+ing\b.*)\Z", wish)
        if match and match[1].split()[0] in word_list("not_acting"):
            match = None
    if match is None:
        return None
    return _act(match[1], scene)


def _act(words: str, scene: Scene) -> Values | None:
    verb = words.split(maxsplit=1)[0]
    if (
        not is_verb(verb)
        or verb in {"be", "look", "feel", "seem", "more", "less", "have"}
        or (is_noun(verb) and not verb.endswith("ing") and verb in word_list("colors"))
    ):
        return None
    if not verb.endswith("ing") and lemma(verb, "VERB") != verb:
        return None
    if (
        canonical_term("camera_movement", words)
        or canonical_term("pace", words)
        or canonical_term("weather", words)
    ):
        return None
    clause = read_clause(_acting(words))
    if not clause.action:
        return None
    values: Values = {"action": clause.action}
    if clause.setting and clause.setting != scene.setting:
        values["setting"] = with_article(clause.setting)
    for term in find_terms(words):
        if term.field in {"weather", "time_of_day", "pace"}:
            values[term.field] = term.term
    if "weather" in values or "time_of_day" in values:
        masked = read(f"someone {_acting(words)}").scene
        values["action"] = masked.action or clause.action
        if masked.setting:
            values["setting"] = masked.setting
        else:
            values.pop("setting", None)
    return values


def _acting(words: str) -> str:
    verb, _, rest = words.partition(" ")
    base = lemma(verb, "VERB") if is_verb(verb) else verb
    if not verb.endswith("ing") or base == verb:
        verb = inflect(lemma(verb, "VERB"), "VBG") if is_verb(verb) else verb
    return f"{verb} {rest}".strip()


def _subject_words(scene: Scene) -> str:
    head = head_of(scene.subject) if scene.subject else ""
    single = lemma(head, "NOUN") if head else ""
    return "|".join(re.escape(w) for w in {head, single} if w) or "\\0"


def _place(wish: str, scene: Scene) -> Values | None:
    """Understand "on the beach", "move it to Tokyo", "set it in a forest", "take them to the moon"."""
    if re.search(r"\b(?:background|foreground|distance)\b", wish):
        return None
    if re.search(r"\b(?:indoors|outdoors|outside|inside)\Z", wish) and len(wish.split()) < 6:
        return {"setting": "outdoors" if "out" in wish.rsplit(maxsplit=1)[-1] else "indoors"}
    match = re.match(
        rf"(?:(?:move|take|bring|transport|send|relocate|put|set|place|have|shoot|film|make)\s+(?:{_PRONOUNS}|this|that|everything|(?:the )?(?:scene|shot|action|video|whole thing|camera)|the [\w]+|{_subject_words(scene)})\s+)?(?:happen |take place |be |set |located |happening |taking place )?(?:in|on|at|to|into|onto|inside|under|near|by|underwater)?\s*((?:the|an?|some)?\s*[\w' \-]+)\Z",
        wish,
    )
    if match is None:
        return None
    led = re.match(
        r".*\b(in|on|at|to|into|onto|inside|under|near|by)\s+(?=" + re.escape(match[1]) + r"\Z)",
        wish,
    )
    phrase = match[1].strip()
    head = head_of(phrase)
    place = place_named(head)
    if wish in {"underwater", "make it underwater", "put it underwater", "set it underwater"}:
        return {"setting": "underwater"}
    if not led and place is None:
        return None
    if place is None and not re.match(
        r"(?:move|take|bring|transport|send|relocate|set|place)\b", wish
    ):
        return None
    if (
        place is not None
        and place.kind in {"surface", "perch"}
        and subject_kind(head) in {"food", "object"}
        and not led
    ):
        return None
    if len(phrase.split()) > 7 or not phrase:
        return None
    return {"setting": _setting_named(phrase)}


def _setting_named(phrase: str) -> str:
    head = head_of(phrase)
    if (
        place_named(head) is not None
        and phrase.split(maxsplit=1)[0] not in DETERMINERS
        and head
        in {
            "paris",
            "tokyo",
            "london",
            "shanghai",
            "venice",
            "rome",
            "berlin",
            "manhattan",
            "istanbul",
            "mumbai",
            "kyoto",
            "amsterdam",
            "prague",
            "moscow",
            "cairo",
            "dubai",
            "sydney",
            "barcelona",
            "madrid",
            "vienna",
            "mars",
            "italy",
            "france",
            "japan",
            "china",
            "india",
            "egypt",
            "africa",
            "antarctica",
            "greece",
            "mexico",
            "chinatown",
        }
    ):
        return phrase.title()
    return with_article(phrase)


def _add(wish: str, scene: Scene) -> Values | None:
    match = re.match(
        r"(?:add|include|insert|put in|bring in|introduce|throw in|there should be|there is|there are|with|have|show|give us|place|put|plus)\s+(?:in\s+)?((?:an?|some|the|more|another|two|three|four|five|a few|several|lots of|many)?\s*.+)\Z",
        wish,
    )
    if match is None:
        return None
    what = re.sub(
        r"^some\s+|\s+(?:to (?:it|the (?:scene|shot|prompt|picture|image|video)))$|\s+in(?: there| here)?$",
        "",
        match[1],
    ).strip()
    if re.match(rf"(?:{_PRONOUNS}|me|us)\b", what):
        return None
    if match := re.match(r"(?:more\s+)(.+)", what):
        what = match[1]
    values = _exact_term(what)
    if values is not None:
        return values
    head = head_of(re.sub(r"\s+(?:everywhere|around|nearby|here|there|outside)$", "", what))
    if not head or not (is_noun(head) or subject_kind(head)):
        return None
    if not scene.subject and subject_kind(head) in ANIMATE | {"vehicle", "watercraft", "aircraft"}:
        return {"subject": with_article(what)}
    if any(_mentions(d, what) for d in scene.details):
        return {}
    return {"details": (*scene.details, with_article(what) if not is_plural(head) else what)}


def _exact_term(text: str) -> Values | None:
    bare = re.sub(r"^(?:an?|the|some|a bit of|a little|lots of|heavy)\s+", "", text.strip())
    for candidate in dict.fromkeys((text.strip(), bare)):
        for field in _TERM_ORDER:
            term = canonical_term(field, candidate)
            if term is not None:
                return {field: term}
    found = find_terms(text)
    if found and found[0].start == 0 and found[0].end == len(text):
        return {found[0].field: found[0].term}
    return None


def _by_term(wish: str, _scene: Scene) -> Values | None:
    """Understand a wish that says established terms and nothing else of weight."""
    core = wish
    if exact := _exact_term(core):
        return exact
    stripped = core
    while (match := _LEAD.match(stripped + " ")) and stripped:
        rest = stripped[match.end() :] if match.end() <= len(stripped) else ""
        if not rest or rest == stripped:
            break
        stripped = rest
        if exact := _exact_term(stripped):
            return exact
    for film, style in load("requests")["films"]["style"].items():
        if re.search(rf"\b{re.escape(film)}\b", wish):
            return {"style": style}
    found = find_terms(wish)
    if not found:
        return None
    left = wish
    for term in reversed(found):
        left = f"{left[: term.start]} {left[term.end :]}"
    words = re.findall(r"[\w'-]+", left)
    small = (
        set(re.findall(r"[a-z]+", _LEAD.pattern))
        | word_list("filler")
        | {"and", "with", "or", "background", "outside", "please"}
    )
    if any(w not in small for w in words):
        return None
    values: Values = {t.field: t.term for t in found}
    if "camera_movement" in values and "slowly" in wish:
        values.pop("pace", None)
    return values


def _subject_is(wish: str, scene: Scene) -> Values | None:
    """Understand "make it a cat", "a cat", "it should be an old robot"."""
    named = re.match(rf"(?:make|turn)\s+(?:{_PRONOUNS})\s+(?:into\s+)?([a-z]+(?: [a-z]+)?)\Z", wish)
    if named and is_plural(named[1]) and subject_kind(head_of(named[1])):
        return {"subject": named[1]}
    match = re.match(
        r"(?:(?:make|turn|change)\s+(?:it|him|her|them|that|this|the subject)\s+(?:to |into )?|it should be |(?:use|show|have)\s+)?(an?\s+[\w' \-]+|(?:two|three|four|five|some)\s+[\w' \-]+)\Z",
        wish,
    )
    if match is None:
        return None
    clause = read_clause(match[1])
    kind = subject_kind(head_of(clause.subject))
    if kind is None or (clause.action and not scene.subject):
        return None
    values: Values = {"subject": with_article(clause.subject)}
    if clause.action:
        values["action"] = clause.action
    return values


_RULES: Final[tuple[Callable[[str, Scene], Values | None], ...]] = (
    _step,
    _table,
    _season,
    _less,
    _reveal,
    _field_assignment,
    _one_more,
    _count,
    _colour,
    _remove,
    _by_term,
    _clothes,
    _replace,
    _described,
    _do,
    _place,
    _subject_is,
    _add,
)
