"""Fills in a request's defaults from its model family and validates it.

Runs in servers and notebooks before a job is queued; imports no model library.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from workbench.engines.diffusers.conditioning import (
    choose_class,
    given_media,
    inputs_of,
    kinds_of,
    media_of,
    needs_of,
    takes,
)
from workbench.engines.diffusers.families import Family, ModelFacts, Rule, families, family_of
from workbench.engines.diffusers.options import AS_RENDERED, option_problems
from workbench.engines.diffusers.own_weights import resolved
from workbench.engines.diffusers.pipeline_classes import lacks_class
from workbench.engines.diffusers.presets import preset_for
from workbench.engines.diffusers.weights import Weights, find_weights, how_to_get, model_facts
from workbench.errors import FieldProblem, InvalidRequest
from workbench.rendering import REPLACEABLE, RenderRequest, named_inputs
from workbench.settings import Settings

__all__ = ["complete", "follows_camera"]

_STEERS = frozenset({"action", "c2w"})
_PARAMETERS = ("width", "height", "num_frames", "fps", "num_inference_steps", "guidance_scale")


def complete(request: RenderRequest, settings: Settings) -> RenderRequest:
    """Return ``request`` with its family's defaults.

    Raises ``InvalidRequest``, naming every invalid field, including a model whose weights are
    missing while downloads are not allowed.
    """
    model = request.model or settings.model
    if not model:
        text = (
            "The diffusers engine needs a model: a folder or a hub name in `model`, "
            "or WORKBENCH_MODEL."
        )
        raise InvalidRequest(text, (FieldProblem("model", text),))
    weights = find_weights(model, request.revision)
    if weights is None and (not settings.allow_hub or not _hub_name(model)):
        text = how_to_get(model, request.revision)
        raise InvalidRequest(text, (FieldProblem("model", text),))
    facts = model_facts(model, weights)
    family = family_of(facts)
    values = _values(request, family)
    if values["fps"] is None:
        values["fps"] = facts.own_fps
    values["model"] = str(weights.folder) if weights and not weights.revision else model
    values["revision"] = weights.revision if weights and weights.revision else request.revision
    own, own_problems = resolved(request, family, facts)
    filled = request.model_copy(update=values | own)
    brought = frozenset(name for name in REPLACEABLE if getattr(filled, name))
    problems = [
        *own_problems,
        *(
            FieldProblem("model", one)
            for one in (weights.problems(model, brought) if weights else ())
        ),
        *_class_problems(family, facts),
        *option_problems(request.options),
        *_size_problems(filled, family, settings),
        *_length_problems(filled, family, settings),
        *_input_problems(filled, family, facts),
        *_camera_problems(filled),
    ]
    if problems:
        raise InvalidRequest(" ".join(one.problem for one in problems), tuple(problems))
    return filled


def follows_camera(request: RenderRequest) -> bool:
    """Return whether the model of a complete ``request`` takes the poses of a camera path."""
    taken = inputs_of(model_facts(request.model, _weights(request)).class_name)
    return taken is not None and bool(taken.camera)


def _weights(request: RenderRequest) -> Weights | None:
    return find_weights(request.model, request.revision)


def _camera_problems(request: RenderRequest) -> list[FieldProblem]:
    """Return why the model cannot be steered: its call is steered already."""
    call = request.options.get("call")
    if request.camera is None or not isinstance(call, Mapping) or not _STEERS & call.keys():
        return []
    named = ", ".join(sorted(_STEERS & call.keys()))
    text = f"The camera is steered twice: by camera, and by {named} in options.call."
    return [FieldProblem("camera", text)]


def _class_problems(family: Family, facts: ModelFacts) -> list[FieldProblem]:
    """Return why the model's pipeline class cannot run here."""
    told = family.refused
    if not told and lacks_class(facts.class_name):
        told = (
            f"The installed diffusers {version('diffusers')} has no {facts.class_name}; a newer "
            "release may: pip install --upgrade diffusers"
        )
    return [FieldProblem("model", told)] if told else []


def _values(request: RenderRequest, family: Family) -> dict[str, Any]:
    values: dict[str, Any] = {"engine": "diffusers"}
    preset = preset_for(request, family.name)
    for name in _PARAMETERS:
        value = getattr(request, name)
        if value is None and preset:
            value = getattr(preset, name, None)
        if value is None and request.profile == "draft":
            value = getattr(family.draft, name)
        values[name] = getattr(family.defaults, name) if value is None else value
    if not request.negative_prompt:
        values["negative_prompt"] = request.scene.negative_prompt or family.negative_prompt
    options = {k: v for k, v in request.options.items() if k != AS_RENDERED}
    if preset:
        options["preset"] = preset.name
        for name, value in preset.options.items():
            options.setdefault(name, value)
        if preset.call:
            options["call"] = {**preset.call, **options.get("call", {})}
    for name, value in family.options.items():
        options.setdefault(name, value)
    shift = family.flow_shift if preset is None else preset.flow_shift
    if shift is not None and ("image" not in options or preset):
        options.setdefault("flow_shift", shift)
    values["options"] = options
    return values


def _size_problems(
    request: RenderRequest, family: Family, settings: Settings
) -> list[FieldProblem]:
    problems = []
    for name in ("width", "height"):
        value, rule = getattr(request, name), family.size_rule(name)
        if value is not None and not rule.allows(value):
            near = _either(rule, value)
            text = f"{family.title} makes a {name} of {_form(rule)}: {near}, not {value}."
            problems.append(FieldProblem(name, text))
    if request.width and request.height:
        most = min(family.most_pixels or settings.max_pixels, settings.max_pixels)
        if request.width * request.height > most:
            text = (
                f"{family.title} makes frames of at most {most} pixels; "
                f"{request.width}×{request.height} is more."
            )
            problems.append(FieldProblem("width", text))
    return problems


def _length_problems(
    request: RenderRequest, family: Family, settings: Settings
) -> list[FieldProblem]:
    count, rule = request.num_frames, family.frames
    if count is None:
        return []
    most = min(family.most_frames or settings.max_frames, settings.max_frames)
    if count > most:
        return [FieldProblem("num_frames", f"{family.title} makes at most {most} frames here.")]
    if rule.allows(count):
        return []
    text = f"{family.title} makes {_form(rule)} frames: {_either(rule, count)}, not {count}."
    return [FieldProblem("num_frames", text)]


def _form(rule: Rule) -> str:
    if rule.every == 1:
        return f"at least {rule.least}"
    return f"{rule.every}k+{rule.plus}" if rule.plus else f"a multiple of {rule.every}"


def _either(rule: Rule, value: int) -> str:
    below, above = rule.near(value)
    return f"{below} or {above}" if below != above else f"{below}"


def _input_problems(
    request: RenderRequest, family: Family, facts: ModelFacts
) -> list[FieldProblem]:
    given = given_media(request.options)
    problems = [
        FieldProblem(f"options.{field}", f"There is no file for {field}.")
        for field, path in named_inputs(request.options)
        if not Path(path).is_file()
    ]
    for needed in needs_of(facts, family):
        if not given.intersection(needed):
            either = _with_article(" or ".join(needed))
            text = f"This model of {family.title} starts from {either}: give one in options."
            problems.append(FieldProblem(f"options.{needed[0]}", text))
    taken = media_of(facts, family)
    if taken is None:
        return problems
    problems.extend(
        FieldProblem(
            f"options.{name}",
            f"This model of {family.title} takes no {name}; choose one made for that, such as "
            f"{_made_for(name)}.",
        )
        for name in sorted(given.difference(taken))
    )
    kinds = kinds_of(facts, family)
    kind = (
        control.get("kind")
        if isinstance(control := request.options.get("control"), Mapping)
        else ""
    )
    if "control" in given.intersection(taken) and kind not in kinds:
        text = f"This model of {family.title} takes control by {', '.join(kinds)}, not by {kind}."
        problems.append(FieldProblem("options.control.kind", text))
    if not problems and choose_class(given, facts.class_name, family) is None:
        names = sorted(given)
        text = f"This model of {family.title} takes {', '.join(names)}, but not together."
        problems.extend(FieldProblem(f"options.{name}", text) for name in names)
    return problems


def _with_article(name: str) -> str:
    told = name.replace("_", " ")
    return f"an {told}" if told[0] in "aeiou" else f"a {told}"


def _made_for(name: str) -> str:
    """Return families that take the input ``name``, in words; text-to-video weights first."""
    shared = [f.title for f in families() if name not in f.inputs_when and takes(name, f.variants)]
    own = [f.title for f in families() if takes(name, f.classes)]
    titles = list(dict.fromkeys(shared + own))[:3] or ["Wan VACE"]
    return " or ".join(filter(None, (", ".join(titles[:-1]), titles[-1])))


def _hub_name(model: str) -> bool:
    return model.count("/") == 1 and not model.startswith((".", "/", "~"))
