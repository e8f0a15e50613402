"""One render on a loaded model, from request to finished file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from workbench.engines.diffusers.acceleration import AccelerationFailed, denoisers, named_denoisers
from workbench.engines.diffusers.actions import action_arguments, keep_predicted
from workbench.engines.diffusers.adapters import (
    call_arguments,
    own_fps,
    parameters_of,
    set_guidance,
    set_scheduler,
)
from workbench.engines.diffusers.conditioning import conditioned
from workbench.engines.diffusers.digests import ComputedDigests, digest
from workbench.engines.diffusers.estimators import estimator_files
from workbench.engines.diffusers.faults import is_lost, is_out_of_memory, told_by
from workbench.engines.diffusers.film import Film
from workbench.engines.diffusers.frames import Tap, frames_of_output
from workbench.engines.diffusers.kept_ratios import keep_ratios, kept_ratios
from workbench.engines.diffusers.loaded_model import LoadedModel
from workbench.engines.diffusers.options import AS_RENDERED, Options, read_options
from workbench.engines.diffusers.own_weights import files_of
from workbench.engines.diffusers.presets import unproven_of
from workbench.engines.diffusers.safety import safety_state
from workbench.engines.diffusers.soundtrack import sample_rate, waveform_of
from workbench.engines.diffusers.step_caches import MagRatios, calibrated, told_the_pass
from workbench.engines.diffusers.steps import StepWatch
from workbench.engines.diffusers.tails import write_latents
from workbench.engines.diffusers.weights import find_weights
from workbench.engines.engine import Rendered, RenderTask
from workbench.engines.sound import Sound
from workbench.errors import NotFinite, RenderCancelled, WorkbenchError
from workbench.frame_rates import whole_if_whole
from workbench.rendering import Progress, RenderRequest

__all__ = ["render"]

_USUAL_STEPS: Final = 50
_USUAL_FPS: Final = 16.0


def render(
    model: LoadedModel, task: RenderTask, estimated: Sequence[Any] | None = None
) -> Rendered:
    """Render ``task`` on ``model`` and leave ``video.mp4`` and the posters in its folder.

    ``estimated`` are the frames of a control that a learnt model has made.
    If a faster path fails, it is disabled and the render starts again, down to the plain path.
    Raises what the pipeline raises, and ``RenderCancelled``.
    """
    request = task.recipe.request
    options = read_options(request.options)
    model.fit(request, options)
    pipe = model.pipe_for(options)
    acceleration = model.acceleration
    acceleration.apply(
        pipe,
        request.profile,
        options,
        model.family,
        model.device,
        resident=model.plan.denoiser_stays,
        vae_stays=model.plan.placement != "model_offload",
        steps=request.num_inference_steps or own_steps(pipe),
        mag=kept_ratios(request, type(pipe).__name__) if options.cache == "mag" else None,
    )
    while True:
        run = _Run(model, pipe, task, options, estimated)
        try:
            return run.run()
        except NotFinite as error:
            if not acceleration.active:
                acceleration.forgive()
                raise
            early = run.steps_done <= 1
            acceleration.undo(pipe, told_by(error), certain=False, early=early)
        except (RenderCancelled, WorkbenchError):
            acceleration.forgive()
            raise
        except (AccelerationFailed, RuntimeError, ValueError, TypeError) as error:
            if not acceleration.active or is_out_of_memory(error) or is_lost(error):
                acceleration.forgive()
                raise
            certain = isinstance(error, AccelerationFailed)
            early = certain or run.steps_done == 0
            acceleration.undo(pipe, told_by(error), certain=certain, early=early)


class _Run:
    """One attempt at the pipeline call."""

    def __init__(
        self,
        model: LoadedModel,
        pipe: Any,
        task: RenderTask,
        options: Options,
        estimated: Sequence[Any] | None,
    ) -> None:
        self._estimated = estimated
        self._model = model
        self._pipe = pipe
        self._task = task
        self._options = options
        self._request = task.recipe.request
        self._notes: list[str] = []
        self._sound: dict[str, int] | None = None
        self._watch: StepWatch | None = None

    @property
    def steps_done(self) -> int:
        """Completed denoising steps."""
        return self._watch.done if self._watch else 0

    def run(self) -> Rendered:
        """Call the pipeline and return the result."""
        import torch  # noqa: PLC0415

        model, pipe, request = self._model, self._pipe, self._request
        arguments = call_arguments(pipe, request, self._options, model.family)
        arguments.update(
            conditioned(pipe, request, self._options, model.family.scale, self._estimated)
        )
        arguments = action_arguments(pipe, request, arguments)
        set_guidance(pipe, request, model.family)
        generator = torch.Generator("cpu").manual_seed(request.seed)
        shift = set_scheduler(pipe, self._options, model.scheduler, generator)
        self._note_told(arguments)
        watch = self._watch = self._step_watch()
        counter = _BlockCount(pipe)
        hits = model.text_cache.hits
        if model.device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats()
        started = time.perf_counter()
        rate = sample_rate(pipe) if self._options.sound else None
        film = Film(
            self._task,
            lambda: self._as_rendered(arguments, shift, counter),
            watch,
            fps=request.fps or own_fps(pipe) or _USUAL_FPS,
            with_sound=rate is not None,
        )
        with film, torch.no_grad(), ExitStack() as stack:
            stack.enter_context(counter.counting())
            deep = not model.acceleration.compiled
            callback = stack.enter_context(watch.watching(pipe, deep=deep))
            stack.enter_context(_freed(model.pipe))
            shape = f"{request.width}×{request.height}×{request.num_frames}"
            stack.enter_context(model.acceleration.checking(pipe, shape))
            # The checker must see, and may change, the whole video before anything is written.
            checked = getattr(pipe, "safety_checker", None) is not None
            place = "none" if checked else model.family.stream
            tap = stack.enter_context(Tap(pipe, place, film).open())
            if model.acceleration.compiled and not model.acceleration.is_checked(shape):
                self._task.report(Progress("compiling", message="once for this size"))
            if model.acceleration.cache == "mag":
                stack.enter_context(told_the_pass(named_denoisers(pipe)))
            measured = stack.enter_context(self._calibration())
            watch.encoding_prompt()
            output = pipe(**arguments, **callback, generator=generator)
            if not tap.taken:
                film.write_all(frames_of_output(output))
            self._keep_sound(film, waveform_of(output), rate)
            self._keep_channels(output, watch)
            del output
            self._keep_ratios(measured)
        facts = _measured(model.device, watch)
        extra = {"text_cache_hits": model.text_cache.hits - hits, "sound": self._sound}
        effective = self._as_rendered(arguments, shift, counter) | extra

        def finish() -> Rendered:
            made = film.finish()
            total_s = time.perf_counter() - started
            return replace(
                made,
                timings_s={**made.timings_s, "total": total_s, **facts},
                request=effective_request(request, made, effective),
            )

        if self._task.may_finish_later:
            return replace(film.made(), finish=finish)
        return finish()

    def _calibration(self) -> AbstractContextManager[dict[str, list[float]]]:
        """Return a context that collects what MagCache measures, if this render calibrates it."""
        if not self._model.acceleration.calibrates:
            return nullcontext({})
        return calibrated(named_denoisers(self._pipe))

    def _keep_ratios(self, measured: dict[str, list[float]]) -> None:
        request = self._request
        found = {name: tuple(ratios) for name, ratios in measured.items() if ratios}
        if found:
            steps = request.num_inference_steps or own_steps(self._pipe)
            keep_ratios(request, type(self._pipe).__name__, MagRatios(steps, found))

    def _note_told(self, arguments: dict[str, Any]) -> None:
        """Note what the model ignores of the request, and how it is steered."""
        request, control = self._request, self._options.control
        if unproven := unproven_of(self._options.preset):
            self._notes.append(unproven)
        if request.negative_prompt and "negative_prompt" not in arguments:
            self._notes.append("the model does not use the negative prompt with these settings")
        if "prompt" not in arguments:
            self._notes.append("the model does not use the prompt")
        if request.camera is not None:
            taken = next((name for name in ("action", "c2w") if name in arguments), "")
            way = f"as {taken}" if taken else "in words, in the prompt"
            self._notes.append(f"the model is told the camera path {way}")
        if request.actions is not None:
            self._notes.append(f"the model is told {request.actions.label}")
            self._notes.extend(request.actions.notes)
        if self._options.tail is not None:
            given = "latents" if "video_latents" in arguments else "lossless frames"
            self._notes.append(f"continues from the {given} of the previous segment")
        if control is not None and control.channel:
            since = f", from {control.start_s:g} s on" if control.start_s else ""
            self._notes.append(f"the model follows the {control.kind} of a storyboard{since}")
        if control is not None and control.is_estimated:
            by = Path(control.estimator).name
            self._notes.append(f"the control is the video's {control.kind}: estimated by {by}")
        elif control is not None and not control.ready:
            from workbench.engines.computed_control import computed_how  # noqa: PLC0415

            how = computed_how(control.kind)
            self._notes.append(f"the control is the video's {control.kind}: {how}")
        if "reference_conditions" in arguments and not request.loras:
            self._notes.append(
                "no in-context LoRA is applied: other weights were not trained to follow a control"
            )

    def _keep_sound(self, film: Film, waveform: Any, rate: int | None) -> None:
        if waveform is None or not self._options.sound:
            return
        if rate is None:
            self._notes.append("the model's sound is left out: its sample rate is unknown")
            return
        sound = Sound.of(waveform, rate)
        film.add_sound(sound)
        self._sound = {"sample_rate": rate, "channels": sound.channels}

    def _keep_channels(self, output: Any, watch: StepWatch) -> None:
        """Write the model's outputs beyond the frames."""
        channels, folder = self._request.channels, self._task.folder
        if "actions" in channels:
            keep_predicted(folder / "actions.npy", output)
        if "latents" in channels:
            count = self._request.num_frames or 1
            write_latents(folder / "latents.safetensors", watch.latents, count, self._options.tail)

    def _step_watch(self) -> StepWatch:
        pipe, request = self._pipe, self._request
        steps = request.num_inference_steps or own_steps(pipe)
        spatial, temporal = _factors(pipe)
        frames = ((request.num_frames or 1) - 1) // temporal + 1
        shape = (frames, (request.height or 0) // spatial, (request.width or 0) // spatial)
        stages = self._model.family.stages
        return StepWatch(
            max(1, steps // stages),
            self._task.report,
            self._task.cancelled,
            colours=self._model.colours,
            previews=self._options.previews,
            sections=stages * self._model.family.sections_of(request.num_frames or 1),
            latent_shape=shape,
            keeps_latents="latents" in request.channels,
        )

    def _as_rendered(
        self, arguments: dict[str, Any], shift: float | None, counter: _BlockCount
    ) -> dict[str, Any]:
        """Return the effective settings, beyond what was requested."""
        model, acceleration = self._model, self._model.acceleration
        plain = (str, int, float, bool)
        call = {k: v for k, v in arguments.items() if isinstance(v, plain)}
        notes = [*self._notes, *model.loras.notes, *acceleration.notes]
        if acceleration.calibrates:
            notes.append(
                "MagCache was calibrated: this render computed every step, later ones of this model "
                "leave steps out"
            )
        elif acceleration.cache != "none" and counter.computed:
            steps = self._request.num_inference_steps or 0
            per_step = counter.calls / max(1, steps)
            equal = round(counter.computed / max(1.0, per_step))
            notes.append(
                f"approximate: the {acceleration.cache} cache computed {counter.computed} of "
                f"{counter.calls} forwards; about {equal} plain steps would take as long"
            )
        return {
            "pipeline": type(self._pipe).__name__,
            "family": model.family.name,
            "call": call,
            "scheduler": _class_name(getattr(self._pipe, "scheduler", None)),
            "flow_shift": shift,
            "dtypes": dict(model.dtypes),
            "weights": _weights(self._request, model.digests),
            "memory": {"placement": model.plan.placement, "tiled_vae": model.plan.tiled_vae,
                       "reason": model.plan.reason, "ran_out": sorted(model.ran_out)},
            "attention": acceleration.attention,
            "compiled": acceleration.compiled,
            "quick_parts": acceleration.quick_parts,
            "cache": acceleration.cache,
            "cache_settings": dict(acceleration.cache_settings),
            "checked": acceleration.checked,
            "vae_errors": dict(acceleration.vae_errors),
            "safety": safety_state(self._pipe),
            "notes": notes,
        }  # fmt: skip


def _measured(device: str, watch: StepWatch) -> dict[str, float]:
    """Return the seconds of a step and the peak memory on a GPU, as far as they are known."""
    import torch  # noqa: PLC0415

    facts: dict[str, float] = {}
    if device.startswith("cuda"):
        facts["peak_memory_gib"] = torch.cuda.max_memory_allocated() / (1 << 30)
    if (step_s := watch.seconds_per_step) is not None:
        facts["step"] = step_s
    return facts


@contextmanager
def _freed(pipe: Any) -> Iterator[None]:
    """Move the components back and clear the step caches after a failed call.

    A pipeline does so itself after a successful call.
    """
    try:
        yield
    except BaseException:
        for denoiser in denoisers(pipe):
            if hasattr(denoiser, "_reset_stateful_cache"):
                denoiser._reset_stateful_cache()  # noqa: SLF001  diffusers has no public name
        if hasattr(pipe, "maybe_free_model_hooks"):
            pipe.maybe_free_model_hooks()
        raise


class _BlockCount:
    """Counts the denoiser's forwards, and how often its last block computed."""

    def __init__(self, pipe: Any) -> None:
        self._denoisers = denoisers(pipe)
        self.calls = 0
        self._inner: dict[int, int] = {}

    @property
    def computed(self) -> int:
        """Forwards in which the last block computed."""
        return max(self._inner.values(), default=0)

    def counting(self) -> ExitStack:
        """Return a context in which forwards are counted."""
        stack = ExitStack()
        for denoiser in self._denoisers:
            stack.callback(denoiser.register_forward_pre_hook(self._called).remove)
            found = _denoising_blocks(denoiser)
            if not found or found[-1]._compiled_call_impl is not None:  # noqa: SLF001
                continue
            for child in found[-1].children():
                stack.callback(child.register_forward_pre_hook(self._computed).remove)
        return stack

    def _called(self, *_: Any) -> None:
        self.calls += 1

    def _computed(self, module: Any, _: Any) -> None:
        self._inner[id(module)] = self._inner.get(id(module), 0) + 1


def _denoising_blocks(denoiser: Any) -> list[Any]:
    """Return the blocks that the denoiser repeats, in order."""
    import torch  # noqa: PLC0415

    names = getattr(denoiser, "_repeated_blocks", None) or ()
    named = [one for one in denoiser.modules() if type(one).__name__ in names]
    lists = [one for one in denoiser.children() if isinstance(one, torch.nn.ModuleList)]
    return named or [block for one in lists for block in one]


def effective_request(
    request: RenderRequest, made: Rendered, as_rendered: dict[str, Any]
) -> RenderRequest:
    """Return the request as it was rendered."""
    options = {**request.options, AS_RENDERED: as_rendered}
    return request.model_copy(
        update={
            "width": made.width,
            "height": made.height,
            "num_frames": made.num_frames,
            "fps": whole_if_whole(made.fps),
            "options": options,
        }
    )


def _weights(request: RenderRequest, digests: ComputedDigests) -> list[dict[str, Any]]:
    """Return every weight file by role, name, size and digest.

    Waits for ``digests``, those of the model's files, which the first render of a model computes.
    """
    digests.wait()
    files = [
        *files_of(request, find_weights(request.model, request.revision)),
        *estimator_files(request.options),
    ]
    return [
        {"role": role, "file": file.name, "size_bytes": file.stat().st_size, "sha256": digest(file)}
        for role, file in files
    ]


def own_steps(pipe: Any) -> int:
    """Return the pipeline's default number of steps."""
    own = parameters_of(pipe).get("num_inference_steps")
    return own if isinstance(own, int) else _USUAL_STEPS


def _class_name(component: Any) -> str:
    return "" if component is None else type(component).__name__


def _factors(pipe: Any) -> tuple[int, int]:
    spatial = temporal = 1
    for name in ("vae_scale_factor_spatial", "vae_spatial_compression_ratio",
                 "vae_spatial_scale_factor", "vae_scale_factor"):  # fmt: skip
        if value := getattr(pipe, name, None):
            spatial = int(value)
            break
    for name in ("vae_scale_factor_temporal", "vae_temporal_compression_ratio",
                 "vae_temporal_scale_factor"):  # fmt: skip
        if value := getattr(pipe, name, None):
            temporal = int(value)
            break
    return spatial, temporal
