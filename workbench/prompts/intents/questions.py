"""Answers questions and small talk from the scene and the settings. Changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from workbench.actions.model import Explain
from workbench.lexicon.words import sentences
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.guards import is_question
from workbench.prompts.intents.references import Reference, refer
from workbench.prompts.intents.rules import Match, matches
from workbench.prompts.intents.slots import exact_terms
from workbench.prompts.intents.words import (
    is_noun,
    is_plural,
    is_verb,
    lemma,
    plural_of,
    word_list,
    words_of,
)
from workbench.prompts.phrasing import finite
from workbench.scene import SCENE_FIELDS, Entity, Scene

__all__ = ["HINT", "NOTED", "WELCOME", "answered", "from_the_prompt", "is_small_talk"]

HINT: Final = (
    "You can change who and what is seen, how it looks and what happens; the place, time, weather, "
    "light, camera, lens, pace, mood and style; and the render: format, length, size, seed, model. "
    "For example: “make it night”, “the car should be red”, “a dog runs past”, “pan left”, “16:9”, "
    "“twice as long”, “five versions of this”, “undo”."
)
"""The answer to a request for help."""
WELCOME: Final = "You are welcome. Say what to change next, or “render it”."
NOTED: Final = "Noted, and nothing was changed. Say what to change next, or “render it”."
"""The answer to a comment that asks for nothing."""
_REQUESTS: Final = re.compile(
    r"(?:can|could|would|may|might) (?:you|we|i|it|the|he|she|they|this|there)\b|will you\b|(?:what|how) (?:if|about)\b|why (?:not|don't)\b|"
    r"(?:what|how) (?:would|does|do) (?:it|this|that|he|she) look like\b|how would (?:it|this|that) look\b|"
    r"(?:shouldn't|couldn't|can't) (?:it|he|she|there|we|you)\b|what would (?:it|this|that)",
    re.IGNORECASE,
)
"""Requests in the form of a question: "could it be night?"."""
_TALK: Final = frozenset({"thanks", "greeting", "praise"})


_SEEN: Final = re.compile(r"can (?:you|one) (?:see|hear) ", re.IGNORECASE)
_ORDERS_AFTER: Final = re.compile(
    r"[,.;!?]\s*(?:please\s+|so\s+|and\s+|now\s+)*(?:make|add|remove|set|render|change|now in|put|use|give) ",
    re.IGNORECASE,
)
"""A command after a question or thanks."""


def answered(text: str, context: Context) -> Explain | None:
    """Return the answer to a question or small talk; None if ``text`` asks for a change."""
    bare = re.sub(
        r"^(?:(?:so|and|but|ok|okay|hey|hm+|well|wait|oh|actually|btw|by the way|just curious|tell me|quick question|one question)[\s,:]+)+(?=\S)",
        "",
        text.strip(),
        flags=re.IGNORECASE,
    )
    if _ORDERS_AFTER.search(bare):
        return None  # "why is it raining, make it sunny": the command is read part by part
    is_asked = bare.rstrip().endswith("?")
    bare = bare.strip(" .!?,")
    if is_question(text) and _SEEN.match(bare):
        return Explain(question=text, answer=from_the_prompt(bare, context))
    if (not bare or _REQUESTS.match(bare)) and not re.match(
        r"(?:what|which) (?:can|could|may) (?:i|you|we)\b|can you help", bare, re.IGNORECASE
    ):
        return None
    for match in matches(bare, "questions", context):
        topic = str(match.rule.parameters["topic"])
        if topic in {"exactness", "labels", "sound", "hardware", "room"} and not (
            is_asked or _opens_question(bare)
        ):
            continue
        if topic == "other":
            if not is_asked and not _opens_question(bare):
                continue
            return Explain(question=text, answer=from_the_prompt(bare, context))
        answer = _ANSWERS[topic](match, context)
        if answer:
            return Explain(question=text, answer=answer)
    if (is_asked and _ASKED.match(bare)) or _opens_question(bare):
        return Explain(question=text, answer=from_the_prompt(bare, context))
    return None


_ASKED: Final = re.compile(
    r"(?:what|which|who|whose|where|when|why|how|is|are|was|were|does|do|did|will|would|can|could|has|have|"
    r"should|any|isn't|aren't|doesn't|don't)\b",
    re.IGNORECASE,
)
"""The beginning of a question; "rain on the window?" is a request."""


def from_the_prompt(question: str, context: Context) -> str:
    """Return an answer that quotes the matching sentence of the prompt, or says there is none."""
    question = re.sub(
        r" (?:in|of) (?:the|this) (?:current |present )?(?:version|prompt|scene|one|shot|video|clip)\b| (?:right )?now\b",
        "",
        question,
    )
    words = [lemma(w, "NOUN") for w in re.findall(r"[\w'-]+", question.lower())]
    asked = set(words) - words_of("closed", "asking")
    if asked & {"wear", "clothe", "clothes", "clothing", "outfit", "dress"}:
        asked |= word_list("clothing")
    best, most = "", 0
    for sentence in sentences(context.prompt):
        said = {lemma(w, "NOUN") for w in re.findall(r"[\w'-]+", sentence.lower())}
        if len(asked & said) > most:
            best, most = sentence, len(asked & said)
    topic = next(
        (
            w
            for w in words
            if w not in words_of("closed", "asking") and is_noun(w) and not is_verb(w)
        ),
        "",
    )
    is_worn = bool(asked & word_list("clothing"))
    if topic and not is_worn and not any(topic in _nouns(one) for one in sentences(context.prompt)):
        return (
            f"The prompt says nothing about “{topic}”. Nothing was changed; say what it should be, "
            "and it is added."
        )
    if best and topic and not is_worn and topic not in _nouns(best):
        best = next(one for one in sentences(context.prompt) if topic in _nouns(one))
    if not best:
        return (
            "The prompt does not say. Nothing was changed; say what it should be, and it is added."
        )
    return f"All that the prompt says of that: “{best}” Nothing was changed; say more, and it is added."


def _nouns(sentence: str) -> set[str]:
    return {lemma(w, "NOUN") for w in re.findall(r"[\w'-]+", sentence.lower())}


_OPENING: Final = re.compile(
    r"(?:why|how come|who|whose|what|which|where|when|how|what's|who's|where's)\b(?:\s+\S+){0,3}?\s*"
    r"(?:\b(?:is|are|was|were|do|does|did|can|could|will|would|has|have|happens|comes|goes)\b|'s\b|'re\b)|"
    r"(?:which|what|whose) (?:\w+ ){1,2}\w+s\b|(?:is|are|was|were|does|did) (?:it|he|she|they|there|this|that|we|you|the \w+|his|her|their)\b",
    re.IGNORECASE,
)


def _opens_question(text: str) -> bool:
    return bool(_OPENING.match(text))


def is_small_talk(text: str) -> bool:
    """Tell whether a part of a request is only thanks, a greeting or praise."""
    bare = text.strip(" .,!?")
    return not bare or any(
        match.rule.parameters["topic"] in _TALK
        for match in matches(bare, "questions", Context(Scene.empty()))
    )


def _help(_match: Match, _context: Context) -> str:
    return HINT


def _said(scene: Scene, field: str) -> str:
    return str(getattr(scene, field))


def _field_answer(field: str, context: Context) -> str:
    value = getattr(context.scene, field)
    name = field.replace("_", " ")
    if not value:
        return f"The prompt does not say: {name} is open."
    shown = ", ".join(value) if isinstance(value, tuple) else value
    return f"The {name} is {shown}."


def _time(match: Match, context: Context) -> str:
    now = context.scene.time_of_day
    asked = match.groups.get("term", "").lower()
    if not now:
        return "The prompt does not say which time of day it is. Say “make it night” to choose one."
    dark = now in {"night", "midnight", "evening", "dusk", "blue hour"}
    wanted = {
        "night": dark,
        "nighttime": dark,
        "dark": dark,
        "day": not dark,
        "daytime": not dark,
        "light": not dark,
    }
    if asked in wanted and " or " not in match.groups.get("whole", ""):
        return f"{'Yes' if wanted[asked] else 'No'}, it is {now}."
    said = exact_terms(asked) or {}
    if said.get("time_of_day"):
        return f"{'Yes' if said['time_of_day'] == now else 'No'}, it is {now}."
    return f"It is {now}."


def _weather(match: Match, context: Context) -> str:
    now = context.scene.weather
    asked = match.groups.get("term", "").lower()
    if not now:
        return f"{'No, the' if asked else 'The'} prompt says nothing of the weather. Say “add rain” or “make it sunny” to choose one."
    said = (exact_terms(asked) or {}).get("weather", "") if asked else ""
    if not asked:
        return f"The weather is {now}."
    same = said == now or (said and (said in now or now in said))
    if asked == "wet":
        same = now in {"rain", "heavy rain", "drizzle", "thunderstorm"}
    return f"{'Yes' if same else 'No'}, the weather is {now}."


def _list(entities: list[Entity]) -> str:
    names = [e.text or e.phrase for e in entities]
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _count(match: Match, context: Context) -> str:
    scene = context.scene
    noun = match.value("noun")
    if noun is None:
        seen = [e for e in scene.cast if e.phrase]
        if not seen:
            return (
                f"Nobody and nothing in particular; the place is {scene.setting}."
                if scene.setting
                else "The prompt names nobody yet."
            )
        where = f", {_in(scene.setting)}" if scene.setting else ""
        return f"There is {_list(seen)}{where}."
    low = lemma(str(noun).split()[-1], "NOUN")
    first = lemma(str(noun).split()[0], "NOUN")
    if {low, first} & {"step", "frame", "second", "pixel", "variation", "version"}:
        return _setting(match, context)
    if len(str(noun).split()) > 3 or "," in str(noun):
        return ""
    found = refer(str(noun), context)
    if found is None or not found.ids:
        return f"The prompt names no {noun}."
    entity = scene.entity(found.ids[0])
    if entity is None:
        return ""
    is_group = " of " in entity.phrase and lemma(str(noun).split()[-1], "NOUN") != entity.noun
    is_same_in_plural = is_plural(str(noun)) and plural_of(entity.noun) == entity.noun
    if entity.count is None or (entity.count == 1 and (is_group or is_same_in_plural)):
        return f"The prompt does not say how many: {entity.text}."
    return f"{entity.count}: {entity.text}."


def _in(setting: str) -> str:
    return (
        setting
        if re.match(r"(?:in|on|at|under|over|along|near|by|inside|outside|through)\b", setting)
        else f"the place is {setting}"
    )


def _doing(match: Match, context: Context) -> str:
    scene = context.scene
    found: Reference | None = match.value("entity")
    doing: str | None = match.value("doing")
    names = {e.id: e for e in scene.cast}
    beats = scene.beats
    if doing is not None and (found is None or not found.ids or any(b.told for b in beats)):
        return ""
    if found is not None and found.ids:
        own = scene.beats_of(found.ids[0])
        entity = names.get(found.ids[0])
        name = f"the {entity.phrase}" if entity else "it"
        if doing is not None:
            same = any(
                lemma(b.text.split()[0], "VERB") == lemma(doing.split()[0], "VERB") for b in own
            )
            now = f": {own[0].text}" if own and not same else ""
            return f"{'Yes' if same else 'No'}{now}."
        if not own:
            return f"The prompt does not say what {name} does."
        return f"{name[0].upper()}{name[1:]} is {_and([b.text for b in own])}."
    if not beats:
        return "Nothing happens yet. Say what should: “a dog runs past”."
    told = []
    for beat in beats:
        entity = names.get(beat.actor)
        plural = entity is not None and entity.count != 1
        who = entity.name if entity is not None else "something"
        told.append(beat.told.rstrip(".") or f"{who} {finite(beat.text, plural=plural)}")
    return f"{_and(told)[:1].upper()}{_and(told)[1:]}."


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])}, then {parts[-1]}"


def _look(match: Match, context: Context) -> str:
    found: Reference = match.value("entity")
    entity = context.scene.entity(found.ids[0]) if found.ids else None
    if entity is None:
        return ""
    if not entity.looks:
        return f"The prompt does not say how the {entity.phrase} looks."
    asked = match.value("look")
    if asked and " or " not in match.groups.get("whole", ""):
        have = " ".join(k.text.lower() for k in entity.looks)
        return f"{'Yes' if all(k.text.lower() in have for k in asked) else 'No'}: {entity.text}."
    return f"It is {entity.text}."


def _place(match: Match, context: Context) -> str:
    found: Reference | None = match.value("entity")
    entity = context.scene.entity(found.ids[0]) if found is not None and found.ids else None
    if entity is not None and entity.position:
        return f"The {entity.phrase} is {entity.position}."
    setting = context.scene.setting
    return (
        f"The place is {setting}."
        if setting
        else "The prompt names no place yet. Say “in a forest” to choose one."
    )


def _field(match: Match, context: Context) -> str:
    field = match.value("field")
    if field is None:
        return _field_answer("lighting" if "lit" in match.groups["whole"] else "shot_size", context)
    return _field_answer(field, context)


_NAMES: Final = {
    "seed": "seed", "fps": "fps", "frame rate": "fps", "framerate": "fps", "steps": "num_inference_steps",
    "number of steps": "num_inference_steps", "guidance": "guidance_scale", "cfg": "guidance_scale",
    "model": "model", "engine": "engine", "quality": "profile", "profile": "profile",
    "number of frames": "num_frames",
}  # fmt: skip


def _setting(match: Match, context: Context) -> str:
    settings = context.settings
    whole = match.groups.get("whole", "").lower()
    name = match.groups.get("name", "").lower()
    size = (
        f"{settings.width}×{settings.height}"
        if settings.width and settings.height
        else "the engine's own size"
    )
    if name in _NAMES:
        value = getattr(settings, _NAMES[name])
        if name == "seed" and value is None:
            return "No seed is fixed: each render gets one of its own. Say “seed 42” to fix it."
        return (
            f"The {name} is {value}." if value is not None else f"The {name} is the engine's own."
        )
    if "settings" in name:
        stated = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in settings.stated().items())
        return f"Renders use {stated}." if stated else "Renders use the engine's own settings."
    if "long" in whole or name in {"length", "duration"} or "second" in whole:
        return (
            f"Videos are {settings.seconds:g} seconds long."
            if settings.seconds
            else "The engine decides the length."
        )
    if "step" in whole:
        return (
            f"Renders take {settings.num_inference_steps} steps."
            if settings.num_inference_steps
            else "This engine has no steps."
        )
    if "frame" in whole:
        return (
            f"Videos have {settings.num_frames} frames at {settings.fps or 0:.5g} per second."
            if settings.num_frames
            else "The engine decides the number of frames."
        )
    aspect = f" ({settings.aspect})" if settings.aspect else ""
    return f"Videos are {size}{aspect}. Say “vertical”, “16:9” or “720p” to change that."


def _static(topic: str) -> Callable[[Match, Context], str]:
    return lambda _match, _context: _KNOWN[topic]


_KNOWN: Final = {
    "exactness": "A video model does not keep exact numbers or details reliably: the prompt asks for them, "
    "and the render shows whether it did. Several seeds raise the chance. Nothing was changed.",
    "labels": "Readable text and logos are unreliable in video models: they are better added afterwards. "
    "Say “the words … on the sign” to ask for some, or “no text” to keep it out. Nothing was changed.",
    "sound": "Whether a video has sound depends on the model; say “sound: …” to describe it. "
    "Nothing was changed.",
}


def _hardware(_match: Match, context: Context) -> str:
    model = context.settings.model or context.settings.engine or "the engine's own model"
    return (
        f"Renders go to {model}. What it needs and how long it takes depends on the machine: "
        "the models panel shows its memory, and a first render its time. Nothing was changed."
    )


def _room(_match: Match, context: Context) -> str:
    count = len(context.scene.moments())
    seconds = context.settings.seconds
    length = f"{seconds:g} seconds" if seconds else "the engine's usual length of about 5 seconds"
    verdict = (
        "That is tight: about two seconds for each is a good measure. Say a longer length, or take something out."
        if count * 2 > (seconds or 5)
        else "That should fit."
    )
    moments = "one moment" if count == 1 else f"{count} moments, one after another,"
    return f"The prompt tells {moments} in {length}. {verdict} Nothing was changed."


def _changes(match: Match, context: Context) -> str:
    del match
    asked = [turn.request for turn in context.turns if turn.actions and turn.entry is not None]
    if not asked:
        return "Nothing has been changed yet."
    return f"So far: {'; '.join(f'“{one}”' for one in asked[-6:])}."


def _locked(match: Match, context: Context) -> str:
    field = match.value("field")
    locked = [name for name in SCENE_FIELDS if context.scene.is_locked(name)]
    if field is not None:
        return f"{'Yes' if field in locked else 'No'}."
    shown = ", ".join(name.replace("_", " ") for name in locked)
    return (
        f"Locked: {shown}."
        if shown
        else "Nothing is locked. Say “lock the camera” to fix something."
    )


def _prompt(_match: Match, context: Context) -> str:
    return context.prompt


def _thanks(_match: Match, _context: Context) -> str:
    return WELCOME


def _greeting(_match: Match, _context: Context) -> str:
    return f"Hello. {HINT}"


def _praise(_match: Match, _context: Context) -> str:
    return "Good. Nothing was changed; say “render it” to render, or what to change next."


def _dislike(_match: Match, _context: Context) -> str:
    return "Nothing was changed. Say what to change, “undo” to take back the last change, or “other ideas” for variations."


_LAST_VERSIONS: Final = 5
"""Maximum number of prompts listed."""


def _versions(match: Match, context: Context) -> str:
    """Return the number of prompts and the requests of the latest ones."""
    del match
    many = len(context.landmarks)
    if many < 2:
        return "There is one prompt so far. Each change adds another; the history lists them all."
    latest = ", ".join(
        f"{one.index} “{one.request}”" if one.request else f"{one.index}"
        for one in context.landmarks[-_LAST_VERSIONS:]
    )
    return f"There are {many} prompts in the history; the latest are {latest}. Say “go back to {context.landmarks[0].index}” or “compare” to see more."


_ANSWERS: Final[Mapping[str, Callable[[Match, Context], str]]] = {
    "help": _help,
    "time_of_day": _time,
    "weather": _weather,
    "count": _count,
    "versions": _versions,
    "doing": _doing,
    "look": _look,
    "place": _place,
    "field": _field,
    "setting": _setting,
    "changes": _changes,
    "locked": _locked,
    "prompt": _prompt,
    "thanks": _thanks,
    "greeting": _greeting,
    "praise": _praise,
    "dislike": _dislike,
    "hardware": _hardware,
    "room": _room,
    **{topic: _static(topic) for topic in _KNOWN},
}
