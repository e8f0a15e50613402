"""The parameters of a run, checked as a whole before anything renders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from workbench.control import GivenActions, GivenCamera
from workbench.engines.registry import engine_names
from workbench.errors import FieldProblem, InvalidRequest, Unavailable
from workbench.frame_rates import FrameRate
from workbench.jobs.model import Priority
from workbench.journey.control_files import with_control_files
from workbench.rendering import GivenControl, Lora, Profile, Quantisation, RenderParameters
from workbench.research.dynamic import expand
from workbench.research.planning import Cell, Requests, raise_problems
from workbench.research.prompt_files import Idea, scan_prompts
from workbench.scene import SCENE_FIELDS, Scene
from workbench.settings import Settings

__all__ = ["RunParameters", "check", "notebook_parameters"]

_RENDER = (
    "engine",
    "model",
    "profile",
    "negative_prompt",
    "width",
    "height",
    "num_frames",
    "fps",
    "num_inference_steps",
    "guidance_scale",
    "loras",
    "transformer",
    "transformer_2",
    "text_encoder",
    "vae",
    "quantize",
    "options",
    "camera",
    "actions",
    "control",
)


_CONTROLS: Final = ("camera", "actions")
_PLAIN: Final = (str, int, float, list, tuple, dict, NoneType)
_OF_IPYTHON: Final = frozenset({"In", "Out"})


class RunParameters(BaseModel):
    """The parameters of an unattended run; empty and None mean the settings' default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompts: str | Path | tuple[Any, ...]
    """A list of prompts, a prompt, or the path of a ``.txt``, ``.csv``, ``.jsonl`` or ``.json``."""
    enhance: bool = True
    """Whether rough prompts are enhanced first."""
    variations: int = Field(1, ge=1, le=64)
    """Prompts rendered for each given one, including itself."""
    axes: tuple[str, ...] = ()
    """The scene fields to vary; by default chosen to suit the scene."""
    hold: tuple[str, ...] = ()
    """The scene fields to keep."""
    seeds: int | tuple[int, ...] = 1
    """The number of seeds for each prompt, counted up from ``seed``; or the seeds."""
    seed: int = Field(1, ge=0, le=2**31 - 1)
    """The first seed, also used for the variations."""
    engine: str = ""
    model: str = ""
    profile: str = ""
    """``reference``, ``exact``, ``fast`` or ``draft``."""
    negative_prompt: str = ""
    width: int | None = None
    height: int | None = None
    num_frames: int | None = None
    fps: FrameRate | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    loras: tuple[Lora, ...] = ()
    transformer: str = ""
    transformer_2: str = ""
    text_encoder: str = ""
    vae: str = ""
    quantize: Quantisation | Mapping[str, Quantisation] | None = None
    options: Mapping[str, Any] = Field(default_factory=dict)
    camera: GivenCamera | None = None
    """The camera path: words, keys, a JSON document, or the path of a file."""
    control: GivenControl | None = None
    """The video to follow: ``depth`` is that of the request's own storyboard, ``depth=JOB`` a
    channel, ``edges from JOB`` (or a file) computed from a video."""
    actions: GivenActions | None = None
    """A robot's actions, for Cosmos 3: a file that names its embodiment; or an embodiment with
    ``values`` (rows, a file, or the id of an upload or a job), or with a ``mode`` in which the model predicts the actions."""
    priority: int = Field(int(Priority.BATCH), ge=0, le=30)
    """Higher runs first; batches have 10, a single render on screen 20."""
    name: str = Field("run", min_length=1, max_length=80)
    agreement_model: str = ""
    """A CLIP-like model, by folder or hub name, to measure agreement with the prompt."""
    wildcards: Path | None = None
    """A folder of wildcard files for dynamic prompts."""
    results: Path | None = None
    """The folder for the run's results; by default its own under ``outputs/runs/``."""
    on_interrupt: Literal["leave", "cancel"] = "leave"
    """What Ctrl-C does to the jobs."""

    @field_validator("axes", "hold")
    @classmethod
    def _are_fields(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in value if name not in SCENE_FIELDS]:
            known = ", ".join(SCENE_FIELDS)
            raise ValueError(f"{', '.join(unknown)}: not a scene field; the fields are {known}")
        return value

    @field_validator("seeds")
    @classmethod
    def _are_seeds(cls, value: int | tuple[int, ...]) -> int | tuple[int, ...]:
        if isinstance(value, int):
            if not 1 <= value <= 1_000:
                raise ValueError("must be 1 to 1,000, or a list of seeds")
        elif not value or len(set(value)) < len(value) or min(value) < 0:
            raise ValueError("must be distinct and not negative")
        return value

    @field_validator("profile")
    @classmethod
    def _is_profile(cls, value: str) -> str:
        if value and value not in get_args(Profile):
            raise ValueError(f"must be one of {', '.join(get_args(Profile))}")
        return value

    @field_validator("wildcards", "results", "camera", "actions", "control", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value in ("", {}) else value

    @property
    def seed_list(self) -> tuple[int, ...]:
        """The seeds that every prompt is rendered with."""
        if isinstance(self.seeds, int):
            return tuple(self.seed + i for i in range(self.seeds))
        return self.seeds

    @property
    def render_values(self) -> dict[str, Any]:
        """The render parameters that were given, as plain JSON values."""
        given = self.model_dump(mode="json", include=set(_RENDER))
        return {name: value for name, value in given.items() if value not in (None, "", {}, [])}

    def digest(self, ideas: list[Idea]) -> str:
        """Return the run's identifying digest: of its parameters and prompts, not their source."""
        asked = self.model_dump(
            mode="json",
            exclude={
                "prompts",
                "priority",
                "results",
                "on_interrupt",
                "wildcards",
                "agreement_model",
            },
        )
        for name in ("camera", "actions", "control"):
            if asked[name] is None:
                del asked[name]  # an older run without this parameter keeps its digest
        prompts = [
            [i.text, dict(i.values), dict(i.labels), i.scene and i.scene.values()] for i in ideas
        ]
        text = json.dumps([asked, prompts], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def notebook_parameters(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters among a notebook's ``globals()``, including misspelt ones.

    Every plain value counts, so that :func:`check` can reject unknown names instead of ignoring
    them.
    """
    return {
        name: value
        for name, value in variables.items()
        if not name.startswith("_")
        and name not in _OF_IPYTHON
        and (name in RunParameters.model_fields or isinstance(value, _PLAIN))
    }


def check(
    asked: Mapping[str, Any],
    settings: Settings,
    find: Callable[[RenderParameters], RenderParameters] | None = None,
) -> tuple[RunParameters, list[Idea]]:
    """Return the parameters and their prompts, dynamic ones expanded.

    ``find`` returns parameters with what their camera, control and actions name by an id.

    Raises ``InvalidRequest`` with every problem: of the parameters, of each line of a prompt file,
    and of the engine.
    """
    problems: list[FieldProblem] = []
    parameters: RunParameters | None = None
    try:
        asked = with_control_files(asked)
    except InvalidRequest as error:
        problems += error.problems or (FieldProblem("camera", str(error)),)
        asked = {name: value for name, value in asked.items() if name not in _CONTROLS}
    try:
        parameters = RunParameters.model_validate(dict(asked))
    except ValidationError as error:
        for e in error.errors():
            parts = [str(part) for part in e["loc"]]
            told = e["msg"].removeprefix("Value error, ")
            if e["type"] == "extra_forbidden":
                told = _no_parameter(parts[0])
            problems.append(FieldProblem(parts[0] if parts else "parameters", told))
    ideas = _ideas(asked, problems)
    problems.extend(
        _render_problems(
            asked, ideas, Requests(settings, find), settings, {p.field for p in problems}
        )
    )
    raise_problems(problems)
    assert parameters is not None  # noqa: S101  else there was a problem
    return parameters, ideas


def _no_parameter(name: str) -> str:
    close = get_close_matches(name, RunParameters.model_fields, 1)
    return "there is no such parameter" + (f"; did you mean {close[0]}?" if close else "")


def _ideas(asked: Mapping[str, Any], problems: list[FieldProblem]) -> list[Idea]:
    source = asked.get("prompts")
    if not isinstance(source, str | Path | list | tuple):
        return []
    read, mistakes = scan_prompts(source)
    problems.extend(mistakes)
    folder = asked.get("wildcards") or None
    ideas = []
    for idea in read:
        try:
            texts = expand(idea.text, wildcards=Path(folder) if folder else None)
        except (InvalidRequest, Unavailable) as error:
            problems.append(FieldProblem(idea.where, str(error)))
            continue
        ideas += [Idea(t, idea.where, idea.values, idea.labels, idea.scene) for t in texts]
    return ideas


def _render_problems(
    asked: Mapping[str, Any],
    ideas: list[Idea],
    maker: Requests,
    settings: Settings,
    known: set[str],
) -> list[FieldProblem]:
    """Ask the engines whether they can render this, prompt by prompt."""
    common = {name: asked[name] for name in _RENDER if asked.get(name) and name not in known}
    named = common.get("engine")
    if named and named not in engine_names(settings):
        names = ", ".join(engine_names(settings))
        told = f"There is no engine {named!r}; choose one of: {names}."
        found = [FieldProblem("engine", told)]
        common.pop("engine")
    else:
        found = []
    probes = [({}, Idea("a probe", "")), *((idea.values, idea) for idea in ideas)]
    for values, idea in probes:
        try:
            maker.of(Cell(idea.text, Scene(), {**common, **values, "seed": values.get("seed", 0)}))
        except InvalidRequest as error:
            for p in error.problems or (FieldProblem("prompts", str(error)),):
                root = p.field.removeprefix("options.").partition(".")[0]
                own = root in values or p.field == "prompt"
                told = f"{p.field}: {p.problem}" if own else p.problem
                found.append(FieldProblem(idea.where if own else p.field, told))
    return found
