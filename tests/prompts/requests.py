"""The corpus of tuning requests: base scenes, what is asked, and which fields that sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workbench.prompts.composer.composer import enhance
from workbench.scene import LIST_FIELDS, Scene

ANYTHING: Final = "*"
_DOG: Final = Scene(
    subject="a brown dog",
    action="running",
    setting="a wide meadow",
    time_of_day="afternoon",
    weather="clear",
    lighting="sunlight",
    mood="joyful",
    style="cinematic",
    color_palette="warm tones",
    shot_size="full shot",
    camera_angle="eye level",
    camera_movement="tracking shot",
    lens="35mm lens",
    pace="real time",
)
_WOMAN: Final = Scene(
    subject="a woman",
    subject_details="wearing a blue dress",
    action="walking",
    setting="a busy city street",
    time_of_day="night",
    weather="rain",
    lighting="neon light",
    mood="mysterious",
    style="cyberpunk",
    color_palette="neon colours",
    shot_size="medium shot",
    camera_angle="low angle",
    camera_movement="handheld",
    lens="50mm lens",
    pace="slow motion",
    details=("a red umbrella",),
)
_HORSES: Final = Scene(
    subject="two horses",
    action="grazing",
    setting="a field",
    time_of_day="dawn",
    weather="fog",
    lighting="soft light",
    mood="calm",
    style="documentary",
    color_palette="muted",
    shot_size="wide shot",
    camera_angle="eye level",
    camera_movement="static",
    lens="telephoto lens",
    pace="slow",
)
BASES: Final = {
    "dog": _DOG,
    "woman": _WOMAN,
    "horses": _HORSES,
    "locked": _DOG.lock("time_of_day", "shot_size"),
}
_ROUGH: Final = {
    "dog": "a brown dog running across a wide meadow",
    "woman": "a woman wearing a blue dress walking along a busy city street, with a red umbrella",
    "horses": "two horses grazing in a field",
    "locked": "a brown dog running across a wide meadow",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the corpus."""

    base: str
    request: str
    expected: dict[str, str]
    understood: bool

    @property
    def locks(self) -> tuple[str, ...]:
        """The fields that are locked in the base scene: "dog lock:mood,lens"."""
        _, _, fields = self.base.partition(" lock:")
        return tuple(fields.split(",")) if fields else ()

    @property
    def scene(self) -> Scene:
        """The scene that the request is made of."""
        return BASES[self.base.partition(" lock:")[0]].lock(*self.locks)

    @property
    def prompt(self) -> str:
        """The prompt that the request is made of."""
        return prompt_of(self.base.partition(" lock:")[0])

    def problems(self, after: Scene) -> list[str]:
        """Return the fields in which ``after`` is not what was asked for."""
        had = {entity.id for entity in self.scene.cast}
        come = "; ".join(entity.text for entity in after.cast if entity.id not in had)
        wrong = []
        if come != self.expected.get("cast", ""):
            wrong.append(f"cast: {come!r} instead of {self.expected.get('cast', '')!r}")
        for name, before in self.scene.values().items():
            want, got = self.expected.get(name), getattr(after, name)
            if want == ANYTHING:
                continue
            right = before if want is None else _shaped(name, want)
            if _plain(got) != _plain(right):
                wrong.append(f"{name}: {got!r} instead of {right!r}")
        return wrong


def prompt_of(base: str) -> str:
    """Return the paragraph that the composer writes for a base scene."""
    return enhance(_ROUGH[base]).prompt


def corpus() -> list[Asked]:
    """Return every request, in the file's order."""
    path = Path(__file__).parent / "data" / "requests.tsv"
    rows = [r for r in path.read_text("utf-8").splitlines() if not r.startswith("#")][1:]
    found = []
    for row in rows:
        base, request, expected = row.split("\t")
        nothing = expected in {"not", "understood"}
        pairs = [] if nothing else [e.partition("=") for e in expected.split("; ")]
        values = {name: value for name, _, value in pairs}
        found.append(Asked(base, request, values, expected != "not"))
    return found


def _shaped(name: str, text: str) -> str | tuple[str, ...]:
    return (tuple([text] if text else [])) if name in LIST_FIELDS else text


def _plain(value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    return value
