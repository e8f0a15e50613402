"""What a language model may answer: read leniently, cleaned, and checked for sense."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from workbench.lexicon.morphology import lemma
from workbench.lexicon.words import content_words
from workbench.scene import LIST_FIELDS, SCENE_FIELDS, Origin, Scene, canonical_term

__all__ = [
    "Enhanced",
    "Extracted",
    "ItemsInAnswer",
    "SceneAnswer",
    "Varied",
    "json_in",
    "keeps_subject",
    "plain_text",
    "prompt_so_far",
    "shown_so_far",
    "text_so_far",
    "without_thoughts",
]

_TAG: Final = re.compile(
    r"<\s*(script|style)\b.*?(?:<\s*/\s*\1\s*>|\Z)|<[^<>]{0,400}>", re.IGNORECASE | re.DOTALL
)
_OPEN_TAG: Final = re.compile(r"<\s*/?(?:[a-z][^<>]{0,80})?\Z", re.IGNORECASE)
_NUMBERED: Final = re.compile(r"^\s*\d{1,2}[.)]\s+(?=\D)", re.MULTILINE)
_PAIR: Final = 2
_FENCE: Final = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
_PARTIAL_TEXT: Final = r'"{}"\s*:\s*"((?:[^"\\]|\\u[0-9a-fA-F]{{4}}|\\[^u])*)'
_LONGEST_FIELD: Final = 400


_THOUGHT: Final = re.compile(
    r"<\s*(think|thinking|thought|reasoning)\s*>.*?(?:<\s*/\s*\1\s*>|\Z)", re.IGNORECASE | re.DOTALL
)
_END_OF_THOUGHT: Final = re.compile(
    r"\A.*<\s*/\s*(?:think|thinking|thought|reasoning)\s*>", re.IGNORECASE | re.DOTALL
)


def without_thoughts(text: str) -> str:
    """Return an answer without a reasoning model's thoughts.

    An unclosed thought hides all that follows. A closing tag without an opening one hides all
    before it: some templates open the thought themselves.
    """
    return _END_OF_THOUGHT.sub("", _THOUGHT.sub("", text))


def plain_text(text: str) -> str:
    """Return ``text`` without markup, code fences and unprintable characters, on one line.

    Numbered sentences, each on its line, lose their numbers.
    """
    bare = _TAG.sub(" ", text).replace("`", "").replace("**", "")
    if len(_NUMBERED.findall(bare)) > 1:
        bare = _NUMBERED.sub("", bare)
    printable = "".join(c if c.isprintable() else " " for c in bare)
    return _without_outer_quotes(" ".join(printable.split()))


def _without_outer_quotes(text: str) -> str:
    """Return ``text`` without enclosing or stray quotes; quotes around speech stay."""
    marks = text.count('"')
    is_wrapped = marks == _PAIR and text.startswith('"') and text.endswith('"')
    return text.strip('"').strip() if marks == 1 or is_wrapped else text


def json_in(text: str) -> dict[str, Any]:
    """Return the JSON object in ``text``, whether alone, fenced or inside prose.

    Raises ``ValueError`` when there is none.
    """
    text = without_thoughts(text)
    candidates = [text, *_FENCE.findall(text)]
    start = text.find("{")
    while start >= 0 and len(candidates) < 8:
        candidates.append(text[start:])
        start = text.find("{", start + 1)
    for candidate in candidates:
        try:
            found, _ = json.JSONDecoder(strict=False).raw_decode(candidate.strip())
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    raise ValueError("The answer contains no JSON object.")


def prompt_so_far(text: str) -> str:
    """Return the prompt so far of an unfinished JSON answer; may be empty."""
    return text_so_far(text, "prompt")


def text_so_far(text: str, name: str) -> str:
    """Return the field ``name`` so far of an unfinished JSON answer; may be empty.

    An unclosed tag is removed with all that follows.
    """
    match = re.search(_PARTIAL_TEXT.format(name), without_thoughts(text))
    if match is None:
        return ""
    try:
        written = str(json.loads(f'"{match[1]}"', strict=False))
    except ValueError:
        return ""
    return shown_so_far(written)


def shown_so_far(text: str) -> str:
    """Return an unfinished text as it is shown: without thoughts and unclosed tags."""
    return plain_text(_OPEN_TAG.sub("", _TAG.sub(" ", without_thoughts(text))))


class ItemsInAnswer:
    """Reports each object of the answer's list ``name`` once complete, while the rest streams."""

    def __init__(self, name: str, on_item: Callable[[Any], object]) -> None:
        self._opening = re.compile(rf'"{name}"\s*:\s*\[')
        self._on_item = on_item
        self._length = 0
        self._at: int | None = None
        self.told = 0
        """Objects reported in the current attempt."""

    def __call__(self, answer: str) -> None:
        """Read the answer so far; a shorter one than before is a new attempt."""
        if len(answer) < self._length:
            self._at, self.told = None, 0
        fresh, self._length = answer[self._length :] or answer, len(answer)
        if "}" in fresh:
            self._tell(without_thoughts(answer))

    def _tell(self, text: str) -> None:
        if self._at is None:
            found = self._opening.search(text)
            if found is None:
                return
            self._at = found.end()
        while True:
            start = self._at + len(text[self._at :]) - len(text[self._at :].lstrip(" \t\r\n,"))
            try:
                item, self._at = json.JSONDecoder(strict=False).raw_decode(text, start)
            except ValueError:  # incomplete
                return
            self.told += 1
            self._on_item(item)


def keeps_subject(before: str, text: str) -> bool:
    """Tell whether ``text`` still names the subject ``before``, in any form of its words."""
    want = {lemma(w, "NOUN") for w in content_words(before)}
    have = {lemma(w, "NOUN") for w in content_words(text)} | set(content_words(text))
    return not want or bool(want & have)


def _text(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, list | tuple) and all(isinstance(v, str | int | float) for v in value):
        return ", ".join(str(v) for v in value)
    if isinstance(value, bool | int | float):
        return str(value)
    return value


_LONGEST_TEXT: Final = 20_000


def _bounded(value: str) -> str:
    # Not in the schema: endpoints' grammars cannot handle a maxLength of thousands.
    if len(value) > _LONGEST_TEXT:
        raise ValueError(f"has more than {_LONGEST_TEXT:,} characters")
    return value


_Text = Annotated[str, BeforeValidator(_text), AfterValidator(_bounded)]


class SceneAnswer(BaseModel):
    """A scene as a language model writes it."""

    model_config = ConfigDict(extra="ignore")

    subject: _Text = ""
    subject_details: _Text = ""
    action: _Text = ""
    setting: _Text = ""
    time_of_day: _Text = ""
    weather: _Text = ""
    lighting: _Text = ""
    mood: _Text = ""
    style: _Text = ""
    color_palette: _Text = ""
    shot_size: _Text = ""
    camera_angle: _Text = ""
    camera_movement: _Text = ""
    lens: _Text = ""
    pace: _Text = ""
    viewpoint: _Text = ""
    on_screen_text: _Text = ""
    details: list[_Text] = Field(default_factory=list)
    negative_prompt: _Text = ""

    @model_validator(mode="before")
    @classmethod
    def _one_detail_is_a_list(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("details"), str):
            return {**data, "details": [data["details"]] if data["details"] else []}
        if isinstance(data, dict) and data.get("details") is None:
            return {k: v for k, v in data.items() if k != "details"}
        return data

    def scene(self, origin: Origin) -> Scene:
        """Return the scene, with established terms where the answer uses one of their phrases."""
        values: dict[str, str | tuple[str, ...]] = {}
        for name in SCENE_FIELDS:
            given = getattr(self, name)
            if name in LIST_FIELDS:
                values[name] = tuple(t for d in given if (t := plain_text(d)[:_LONGEST_FIELD]))
            else:
                text = plain_text(given)[:_LONGEST_FIELD]
                values[name] = canonical_term(name, text) or text
        return Scene().edit({k: v for k, v in values.items() if v}, origin=origin)


class Cover(BaseModel):
    """Evidence of a prompt: what the idea says, and the words of the prompt that show it."""

    model_config = ConfigDict(extra="ignore")

    said: _Text = ""
    shown_as: _Text = ""


class Enhanced(BaseModel):
    """The answer to an enhancement, and each variation."""

    model_config = ConfigDict(extra="ignore")

    prompt: str = Field(min_length=1)
    name: _Text = ""
    """Of a variation: its idea in a few words."""
    scene: SceneAnswer = Field(default_factory=SceneAnswer)
    covers: list[Cover] = Field(default_factory=list, max_length=200)

    @field_validator("covers", mode="before")
    @classmethod
    def _only_what_reads(cls, given: Any) -> Any:
        """Drop invalid evidence, so that it does not invalidate a good prompt."""
        if not isinstance(given, list):
            return []
        return [one for one in given if isinstance(one, dict | Cover)][:200]

    @property
    def evidence(self) -> list[dict[str, str]]:
        """The covers as the guard reads them."""
        return [cover.model_dump() for cover in self.covers]


class Extracted(BaseModel):
    """The answer to an extraction."""

    model_config = ConfigDict(extra="ignore")

    scene: SceneAnswer


class Varied(BaseModel):
    """The answer to a request for variations; what does not validate is left out one by one."""

    model_config = ConfigDict(extra="ignore")

    variations: list[Any] = Field(min_length=1)
