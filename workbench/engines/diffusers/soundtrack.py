"""The sound of a pipeline's video, and its sample rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["outputs_wanted", "sample_rate", "waveform_of"]

_OUTPUTS: Final = ("audio", "sound")
"""Names of the output in pipelines."""

_RATES: Final = (
    ("vocoder", "output_sampling_rate"),
    ("sound_tokenizer", "sampling_rate"),
)
"""Components that make the waveform, and the key of the rate in their configuration. They take
precedence over the pipeline's own rate, which for LTX-2 is that of the spectrograms."""

_OWN_RATES: Final = ("audio_sample_rate", "audio_sampling_rate")


def sample_rate(pipe: Any) -> int | None:
    """Return the samples per second of the sound that ``pipe`` makes; None if it makes none."""
    for component, name in _RATES:
        config = getattr(getattr(pipe, component, None), "config", None)
        if rate := getattr(config, name, None):
            return int(rate)
    found = (getattr(pipe, name, None) for name in _OWN_RATES)
    return next((int(rate) for rate in found if isinstance(rate, int | float)), None)


def outputs_wanted(pipe: Any) -> list[str] | str:
    """Return the outputs to request of a modular pipeline: the video, and its sound if any."""
    made = {one.name for one in pipe.blocks.outputs}
    sounds = [name for name in _OUTPUTS if name in made]
    return ["videos", *sounds] if sounds else "videos"


def waveform_of(output: Any) -> Any:
    """Return the waveform in a pipeline's output; None if there is none."""
    for name in _OUTPUTS:
        given = output.get(name) if isinstance(output, Mapping) else getattr(output, name, None)
        if given is not None:
            return given
    return None
