"""Wishes about who is seen: how many, what they look like, wear and do."""

from __future__ import annotations

import re
from typing import Final

from workbench.prompts.composer.articles import with_article
from workbench.prompts.composer.datafiles import english
from workbench.prompts.composer.grammar import head_of, read_clause
from workbench.prompts.composer.lexicon import find_terms, place_named, subject_kind, word_list
from workbench.prompts.composer.morphology import (
    inflect,
    is_adjective,
    is_noun,
    is_plural,
    is_verb,
    lemma,
)
from workbench.prompts.composer.reading import read
from workbench.prompts.composer.wish_terms import (
    PRONOUNS,
    TERM_ORDER,
    Values,
    acting,
    mentions,
)
from workbench.scene import Scene, canonical_term

__all__ = [
    "by_action",
    "by_clothes",
    "by_colour",
    "by_count",
    "by_one_more",
    "by_quality",
    "by_subject",
    "coloured",
    "subject_words",
]

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


def by_one_more(wish: str, scene: Scene) -> Values | None:
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


def by_quality(wish: str, scene: Scene) -> Values | None:
    """Understand "make the dog bigger", "make it look old": a quality of the subject."""
    match = re.match(
        rf"(?:make|have)\s+(?:{PRONOUNS}|the (?:{subject_words(scene)}))\s+(?:look\s+|appear\s+|be\s+)?(?:more\s+|very\s+|much\s+|a bit\s+)*([a-z]+)\Z",
        wish,
    )
    if match is None or not scene.subject:
        return None
    word = lemma(match[1], "ADJ")
    if (
        not is_adjective(match[1])
        or is_verb(match[1])
        or place_named(word)
        or any(canonical_term(f, word) for f in TERM_ORDER)
    ):
        return None
    words = scene.subject.split()
    lead = words[:1] if words[0].lower() in english("determiners") else []
    rest = [w for w in words[len(lead) :] if w.lower() != word]
    bare_article = not lead or lead[0].lower() in {"a", "an"}
    phrase = " ".join([word, *rest])
    return {"subject": with_article(phrase) if bare_article else f"{lead[0]} {phrase}"}


def by_count(wish: str, scene: Scene) -> Values | None:
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
    words = [
        w
        for i, w in enumerate(subject.split())
        if not (i == 0 and w.lower() in english("determiners"))
    ]
    head = head_of(" ".join(words))
    single = lemma(head, "NOUN")
    form = single if count == 1 else inflect(single, "NNS")
    at = next((i for i, w in enumerate(words) if w.lower() == head), len(words) - 1)
    words[at] = form
    spelled = next((w for w, n in _NUMBERS.items() if n == count and " " not in w), str(count))
    return with_article(" ".join(words)) if count == 1 else f"{spelled} {' '.join(words)}"


def by_colour(wish: str, scene: Scene) -> Values | None:
    """Understand "make the car blue", "a red one", "paint it green", "the dog should be white"."""
    colors = "|".join(sorted(word_list("colors"), key=len, reverse=True))
    worn = re.fullmatch(rf"(?:an? |with an? |in an? )?({colors}) (\w+)", wish)
    if worn and scene.subject_details and mentions(scene.subject_details, worn[2]):
        return by_colour(f"make the {worn[2]} {worn[1]}", scene)
    match = re.match(
        rf"(?:(?:make|paint|colou?r|turn|dye|have|let|change)\s+)?(?:(?:the|her|his|its|their)\s+)?([\w ]+?)?\s*(?:(?:should )?be\s+|is\s+|in\s+|to\s+)?((?:(?:dark|light|bright|pale|deep)\s+)?(?:{colors}))(?: one)?\Z",
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
        return coloured(scene, match[2])
    if mentions(scene.subject, who):
        return coloured(scene, match[2], who)
    if scene.subject_details and mentions(scene.subject_details, who):
        noun = who.split()[-1]
        text = re.sub(
            rf"\b(?:(?:{colors})\s+)?{noun}\b", f"{match[2]} {noun}", scene.subject_details
        )
        return {"subject_details": re.sub(r"\b(an?) (?=\w)", "a ", text)}
    if subject_kind(who.split()[-1]) == "object" or who.split()[-1] in word_list("clothing"):
        return {"subject_details": _worn(scene, f"{match[2]} {who}")}
    return None


def coloured(scene: Scene, colour: str, who: str = "") -> Values:
    """Return the subject, or that part of it which ``who`` names, in another colour."""
    colors = word_list("colors")
    parts = re.split(r"(\s+and\s+)", scene.subject)
    for i, part in enumerate(parts):
        if i % 2 == 0 and (not who or mentions(part, who)):
            words = part.split()
            lead = words[:1] if words[0].lower() in english("determiners") else []
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


def by_clothes(wish: str, scene: Scene) -> Values | None:
    """Understand "give him a red hat", "she should wear sunglasses", "put a scarf on him"."""
    match = re.match(
        rf"(?:give|put|dress|have)\s+(?:{PRONOUNS}|the [\w ]+?)\s+(?:wear(?:ing)?\s+|on\s+|in\s+|with\s+)?((?:an?|some|the)?\s*.+)\Z",
        wish,
    )
    if match is None:
        match = (
            re.match(
                rf"(?:(?:make\s+)?(?:{PRONOUNS}|the [\w ]+?)\s+)?(?:should\s+|is\s+|are\s+)?(?:be\s+)?(?:wears?|wearing|dressed in|in)\s+((?:an?|some)?\s*.+)\Z",
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


def _worn(scene: Scene, item: str) -> str:
    """Return what is worn with ``item`` put on; it takes the place of a thing of its own kind."""
    item = with_article(re.sub(r"^some\s+", "", item))
    now = scene.subject_details
    if not re.match(r"(?:wearing|dressed in|in)\b", now) or mentions(now, head_of(item)):
        return f"wearing {item}"
    return f"{now} and {item}"


def by_action(wish: str, scene: Scene) -> Values | None:
    """Understand "make him jump", "the dog should sleep", "have her dancing in the rain", "jumping"."""
    match = re.match(
        rf"(?:make|have|let|get|show|see)\s+(?:{PRONOUNS}|the [\w ]+?|everyone|{subject_words(scene)})\s+(?:to\s+)?(?:be\s+)?([a-z]+(?:ing)?\b.*)\Z",
        wish,
    )
    if match is None:
        match = re.match(
            rf"(?:{PRONOUNS}|the \w+|{subject_words(scene)})\s+(?:should|could|must|needs to|has to|(?:is|are)(?: now)?|can|'s|starts?|start to|begins? to)\s+(?:be\s+)?([a-z]+.*)\Z",
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
    if weather := canonical_term("weather", acting(words)):  # "make it pour"
        return {"weather": weather}
    if re.match(r"(?:take place|happen|be set|be in)\b", words):
        return None
    words = re.sub(r"^(?:stop|go|come|start)(?:s|ing)? (?:and|to) (?=[a-z]+)", "", words)
    verb = words.split(maxsplit=1)[0]
    if (
        not is_verb(verb)
        or verb in {"be", "feel", "seem", "more", "less", "have"}
        or (
            verb == "look"
            and not re.match(r"look (?:at|up|down|away|around|into|out|back)\b", words)
        )
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
    clause = read_clause(acting(words))
    if not clause.action:
        return {"action": acting(words)} if len(words.split()) <= 3 else None
    values: Values = {"action": clause.action}
    if clause.setting and clause.setting != scene.setting:
        values["setting"] = with_article(clause.setting)
    for term in find_terms(words):
        if term.field in {"weather", "time_of_day", "pace"}:
            values[term.field] = term.term
    if "weather" in values or "time_of_day" in values:
        masked = read(f"someone {acting(words)}").scene
        values["action"] = masked.action or clause.action
        if masked.setting:
            values["setting"] = masked.setting
        else:
            values.pop("setting", None)
    return values


def subject_words(scene: Scene) -> str:
    """Return a pattern for the words by which a wish may name the subject."""
    head = head_of(scene.subject) if scene.subject else ""
    single = lemma(head, "NOUN") if head else ""
    return "|".join(re.escape(w) for w in {head, single} if w) or "\\0"


def by_subject(wish: str, scene: Scene) -> Values | None:
    """Understand "make it a cat", "a cat", "it should be an old robot"."""
    named = re.match(rf"(?:make|turn)\s+(?:{PRONOUNS})\s+(?:into\s+)?([a-z]+(?: [a-z]+)?)\Z", wish)
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
