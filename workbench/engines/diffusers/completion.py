"""Fills in a request's defaults from its model family and validates it.

Runs in servers and notebooks before a job is queued; imports no model library.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.engines.diffusers.actions import action_problems, with_length
from workbench.engines.diffusers.cache_options import CACHES
from workbench.engines.diffusers.conditioning import (
    choose_class,
    continues_of,
    given_media,
    inputs_of,
    kinds_of,
    media_of,
    needs_of,
    reference_problems,
    takers_of,
    takes,
)
from workbench.engines.diffusers.estimators import with_estimator
from workbench.engines.diffusers.families import Family, ModelFacts, Rule, families, family_of
from workbench.engines.diffusers.options import AS_RENDERED, option_problems
from workbench.engines.diffusers.own_weights import resolved
from workbench.engines.diffusers.pipeline_classes import class_problem
from workbench.engines.diffusers.presets import preset_for
from workbench.engines.diffusers.tails import Continues
from workbench.engines.diffusers.weights import Weights, find_weights, how_to_get, model_facts
from workbench.engines.engine import Continuation
from workbench.errors import FieldProblem, InvalidRequest
from workbench.rendering import REPLACEABLE, RenderRequest, named_inputs
from workbench.settings import Settings

__all__ = ["complete", "continuation", "follows_camera"]

_SHARED = frozenset({"references", "control"})
"""The inputs that later segments of a rollout have, too."""
_VAE_STEP = 4
"""Frames of a latent frame of Wan's VAE, which Helios has."""
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
    values = _values(request, family, facts) | with_length(request, family)
    if values["fps"] is None:
        values["fps"] = facts.own_fps
    values["model"] = str(weights.folder) if weights and not weights.revision else model
    values["revision"] = weights.revision if weights and weights.revision else request.revision
    values["options"], estimator_problems = with_estimator(values["options"], settings)
    own, own_problems = resolved(request, family, facts, weights)
    how = _continuation(request, facts, family)
    if how is not None:
        values |= _as_segment(request, values["options"], how, family)
    if request.actions is not None:
        steps = (values["num_frames"] or 2) - 1
        values["actions"] = request.actions.fitted(steps)
        if request.actions.predicts:
            values["channels"] = tuple(dict.fromkeys((*request.channels, "actions")))
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
        *estimator_problems,
        *_cache_problems(request, family),
        *_size_problems(filled, family, settings),
        *_tile_problems(filled, facts),
        *reference_problems(filled, family),
        *_length_problems(filled, family, settings),
        *_step_problems(filled, facts),
        *_input_problems(filled, family, facts, how),
        *_segment_problems(filled, family, how),
        *action_problems(filled, family, facts, given_media(request.options)),
        *_channel_problems(filled, how),
        *_camera_problems(filled),
    ]
    if problems:
        raise InvalidRequest(" ".join(one.problem for one in problems), tuple(problems))
    return filled


def follows_camera(request: RenderRequest) -> bool:
    """Return whether the model of a complete ``request`` takes the poses of a camera path."""
    taken = inputs_of(model_facts(request.model, _weights(request)).class_name)
    return taken is not None and bool(taken.camera)


def continuation(request: RenderRequest) -> Continuation:
    """Return where the model of a complete ``request`` can go on from what it made."""
    facts = model_facts(request.model, _weights(request))
    family = family_of(facts)
    kept = given_media(request.options) & _SHARED
    how = continues_of(kept, facts, family) or continues_of(kept - {"control"}, facts, family)
    if how is None:
        return Continuation(why_not=_does_not_go_on(family))
    if how.by != "latents":
        reason = f"{family.title} goes on from {how.frames} frames, so that many come before."
        return Continuation(least=how.frames, reason=reason if how.frames > 1 else "")
    count = request.num_frames or 1
    every = family.sections.every if family.sections else count
    most = (
        count - 1
    ) // _VAE_STEP * _VAE_STEP + 1  # of several sections the last frames are left out
    reason = f"{family.title} goes on from its latents, which end every {every} frames."
    channels = ("frames", "latents")
    return Continuation("", every, every, most // every * every, reason, channels)


def _continuation(request: RenderRequest, facts: ModelFacts, family: Family) -> Continues | None:
    """Return how the model continues a rollout; None if it cannot or no rollout is requested."""
    if not isinstance(given := request.options.get("rollout"), Mapping):
        return None
    media = given_media(request.options) - {"tail"} if given.get("start") else frozenset[str]()
    return continues_of(media, facts, family)


def _as_segment(
    request: RenderRequest, options: Mapping[str, Any], how: Continues, family: Family
) -> dict[str, Any]:
    """Return the values of a segment: overlap, length, and the channels that the next one needs."""
    is_first = not request.options["rollout"].get("start")
    segment = {**options["rollout"], "overlap": 0 if is_first else how.frames}
    kept = dict(options)
    of_text = not _only_from_image(family)
    if how.by == "image" and of_text and not is_first and "flow_shift" not in request.options:
        kept.pop("flow_shift", None)  # as for every start image
    needed = ("frames", "latents") if how.by == "latents" else ("frames",)
    length = {}
    if how.by == "latents" and request.num_frames is None and family.sections:
        length["num_frames"] = family.sections.every
    return {
        **length,
        "options": {**kept, "rollout": segment},
        "channels": tuple(dict.fromkeys((*request.channels, *needed))),
    }


def _only_from_image(family: Family) -> bool:
    """Return whether the family's shift is for images, not one for text that an image changes."""
    return "image" in family.needs


def _segment_problems(
    request: RenderRequest, family: Family, how: Continues | None
) -> list[FieldProblem]:
    if "rollout" not in request.options:
        return []
    if how is None:
        return [FieldProblem("model", _does_not_go_on(family))]
    count, is_whole = request.num_frames, bool(request.options["rollout"].get("of"))
    if how.by == "latents" and count is not None and family.sections_of(count) > 1 and not is_whole:
        every = family.sections.every if family.sections else count
        told = f"A segment of {family.title} is {every} frames, not {count}."
        return [FieldProblem("num_frames", told)]
    if count is not None and count <= how.frames:
        told = f"A segment needs more than the {how.frames} frames that it continues from."
        return [FieldProblem("num_frames", told)]
    return []


def _does_not_go_on(family: Family) -> str:
    return (
        f"This model of {family.title} cannot continue from a segment, or not with these inputs; "
        "models that can start from an image, or are Helios, AnyFlow FAR, Wan VACE, LTX or "
        "Cosmos Predict 2.5."
    )


def _channel_problems(request: RenderRequest, how: Continues | None) -> list[FieldProblem]:
    problems = []
    if "latents" in request.channels and (how is None or how.by != "latents"):
        told = (
            "Latents are kept only in rollouts on models that continue from them, such as Helios."
        )
        problems.append(FieldProblem("channels", told))
    if "actions" in request.channels and (request.actions is None or not request.actions.predicts):
        told = (
            "Actions are kept only if the model predicts them: actions.mode policy or "
            "inverse_dynamics."
        )
        problems.append(FieldProblem("channels", told))
    return problems


def _weights(request: RenderRequest) -> Weights | None:
    return find_weights(request.model, request.revision)


def _camera_problems(request: RenderRequest) -> list[FieldProblem]:
    """Return why the model cannot follow the camera: ``options.call`` steers it too."""
    call = request.options.get("call")
    if request.camera is None or not isinstance(call, Mapping) or not _STEERS & call.keys():
        return []
    named = ", ".join(sorted(_STEERS & call.keys()))
    text = f"The camera is steered twice: by camera, and by {named} in options.call."
    return [FieldProblem("camera", text)]


def _class_problems(family: Family, facts: ModelFacts) -> list[FieldProblem]:
    told = class_problem(family, facts)
    return [FieldProblem("model", told)] if told else []


def _cache_problems(request: RenderRequest, family: Family) -> list[FieldProblem]:
    """Return why the model cannot use the step cache that was named."""
    named = request.options.get("cache")
    if not family.known or named not in CACHES or named in family.cache:
        return []
    taken = f"it takes {', '.join(family.cache)}" if family.cache else "it takes none"
    text = f"{family.title} cannot be rendered with the {named} cache of diffusers: {taken}."
    return [FieldProblem("options.cache", text)]


def _values(request: RenderRequest, family: Family, facts: ModelFacts) -> dict[str, Any]:
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
        if call := preset.call_of(facts.class_name):
            options["call"] = {**call, **options.get("call", {})}
    for name, value in family.options.items():
        options.setdefault(name, value)
    shift = family.flow_shift if preset is None else preset.flow_shift
    if shift is not None and (preset or "image" not in options or _only_from_image(family)):
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


def _tile_problems(request: RenderRequest, facts: ModelFacts) -> list[FieldProblem]:
    """Return why the result is smaller than the tiles that an upscaler was trained on."""
    tiles = facts.configs.get("transformer", {}).get("tile_sizes")
    if not tiles or not request.width or not request.height:
        return []
    ratio = request.width / request.height
    height, width = min(tiles, key=lambda tile: abs(tile[1] / tile[0] - ratio))
    if request.width >= width and request.height >= height:
        return []
    text = (
        f"This upscaler makes at least {width}×{height} pixels; "
        f"{request.width}×{request.height} is less."
    )
    return [FieldProblem("width", text)]


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


def _step_problems(request: RenderRequest, facts: ModelFacts) -> list[FieldProblem]:
    """Return why the model cannot take its fixed timesteps, if it has any."""
    steps = request.options.get("dmd_steps")
    if not isinstance(steps, list | tuple):
        return []
    if facts.class_name and not facts.class_name.startswith("Wan"):
        text = f"Only pipelines of Wan take dmd_steps, not {facts.class_name}."
        return [FieldProblem("options.dmd_steps", text)]
    if request.num_inference_steps != len(steps):
        text = f"These weights take {len(steps)} steps, not {request.num_inference_steps}."
        return [FieldProblem("num_inference_steps", text)]
    return []


def _form(rule: Rule) -> str:
    if rule.every == 1:
        return f"at least {rule.least}"
    return f"{rule.every}k+{rule.plus}" if rule.plus else f"a multiple of {rule.every}"


def _either(rule: Rule, value: int) -> str:
    below, above = rule.near(value)
    return f"{below} or {above}" if below != above else f"{below}"


def _input_problems(
    request: RenderRequest, family: Family, facts: ModelFacts, how: Continues | None
) -> list[FieldProblem]:
    given = given_media(request.options) - {"tail"}
    problems = [
        FieldProblem(f"options.{field}", f"There is no file for {field}.")
        for field, path in named_inputs(request.options)
        if not Path(path).is_file()
    ]
    chosen = given
    if how is not None and request.options["rollout"].get("start"):
        chosen = given | {"tail"}
        given |= how.stands_for
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
            f"This model of {family.title} does not accept {name}; choose one that does, such as "
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
        text = f"This model of {family.title} takes control by {', '.join(kinds)}, not by {kind}"
        told = f"{text}; {_who_takes(str(kind))}."
        problems.append(FieldProblem("options.control.kind", told))
    if not problems and choose_class(chosen, facts.class_name, family) is None:
        names = sorted(given)
        text = f"This model of {family.title} takes {', '.join(names)}, but not together."
        problems.extend(FieldProblem(f"options.{name}", text) for name in names)
    return problems


def _with_article(name: str) -> str:
    told = name.replace("_", " ")
    return f"an {told}" if told[0] in "aeiou" else f"a {told}"


def _made_for(name: str) -> str:
    """Return families that take the input ``name``, as text; text-to-video weights first."""
    shared = [f.title for f in families() if name not in f.inputs_when and takes(name, f.variants)]
    own = [f.title for f in families() if takes(name, f.classes)]
    titles = list(dict.fromkeys(shared + own))[:3] or ["Wan VACE"]
    return " or ".join(filter(None, (", ".join(titles[:-1]), titles[-1])))


def _who_takes(kind: str) -> str:
    """Return which families follow a control of ``kind``; a test sees to it that one does."""
    titles = takers_of(kind)
    return f"{', '.join(titles)} {'take' if len(titles) > 1 else 'takes'} {kind}"


def _hub_name(model: str) -> bool:
    return model.count("/") == 1 and not model.startswith((".", "/", "~"))
