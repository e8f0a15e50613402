"""The measures of a video by name, with unit, range and source of the formula.

Has no heavy imports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final

__all__ = ["LOWER_IS_BETTER", "SCORE_NAMES", "Scores"]


@dataclass(frozen=True, slots=True)
class Scores:
    """The measures of one video."""

    motion: float
    """Amount of motion: mean length of the optical flow, in picture widths per second; 0 is frozen.

    Dense inverse search (Kroeger et al., *Fast Optical Flow using Dense Inverse Search*, 2016).
    """
    smoothness: float
    """Evenness of motion, 0 to 1: 1 - mean |F(t+1) - F(t)| / mean (|F(t+1)| + |F(t)|) over the
    flow fields F. 1 if nothing moves or everything moves steadily; low if motion jumps.

    The normalised acceleration of the flow; the question is that of *motion smoothness* in VBench
    (Huang et al. 2024), which asks an interpolation network instead.
    """
    flicker: float
    """Flicker of the light, 0 to 1: mean |b(t) - (b(t-1) + b(t+1)) / 2| / 255 over the mean
    luminance b of 8 × 8 blocks. The second difference leaves fades and steady motion out, which
    the plain frame difference of VBench's *temporal flickering* counts.
    """
    sharpness: float
    """Variance of the Laplacian of the luminance, mean over frames; 0 upward, in squared grey levels.

    Pech-Pacheco et al., *Diatom autofocusing in brightfield microscopy*, 2000.
    """
    exposure: float
    """Mean luminance, 0 (black) to 1 (white); BT.601."""
    clipping: float
    """Share of pixels without detail, 0 to 1: luminance of at most 5 or at least 250 of 255."""
    colourfulness: float
    """0 (grey) to about 150: sigma + 0.3 mu of the opponent channels R - G and (R + G) / 2 - B.

    Hasler and Süsstrunk, *Measuring colourfulness in natural images*, 2003.
    """
    consistency: float
    """How well each frame explains the next, 0 to 1: 1 - mean |I(t) - warp(I(t+1), F(t))| / 255.

    The warping error of Lai et al., *Learning blind video temporal consistency*, 2018, without
    their occlusion mask.
    """
    agreement: float | None = None
    """Agreement with its prompt, -1 to 1, in practice 0.1 to 0.4; None without a model.

    Mean cosine of the embeddings of eight frames and of the prompt by the model of the CLIP kind
    that ``WORKBENCH_AGREEMENT_MODEL`` names (CLIPScore without its factor, Hessel et al. 2021).
    """

    loudness: float | None = None
    """Integrated loudness of the sound in LUFS, -70 (silence) to about 0; None without sound.

    ITU-R BS.1770-4, as FFmpeg's ``ebur128`` measures it: K-weighted, gated at -70 LUFS and 10 LU
    below the ungated mean. Broadcasts are at -23 (EBU R 128), streaming at about -14.
    """
    silence: float | None = None
    """Share of tenths of a second whose effective level is below -60 dBFS, 0 to 1; None without
    sound."""
    sound_clipping: float | None = None
    """Share of samples at full scale, 0 to 1: 0.9 or more in any channel, as AAC takes some off flat
    tops; None without sound."""
    sound_length: float | None = None
    """How far the sound is longer or shorter than the picture, seconds; None without sound."""

    exposure_drift: float | None = None
    """How far the light has drifted from the first frame to the last, without sign: logarithm to
    base 2 of the luminance on points that neighbouring frames share; None where too few are shared."""
    colour_drift: float | None = None
    """The same for colour: distance in a and b of CIELAB; about 2 is just visible."""
    sharpness_drift: float | None = None
    """The same for detail: logarithm to base 2 of the gradients' energy, corrected for light."""
    seams: float | None = None
    """Number of frames at which light, colour or detail jumps and stays so; cuts do not count."""
    repeated_frames: float | None = None
    """Number of frames that repeat the one before them while the clip moves."""
    standstill: float | None = None
    """Share of the time in standstills of 0.4 s or longer, 0 to 1."""
    cuts: float | None = None
    """Number of cuts; whip pans, flashes and fades do not count."""
    loops: float | None = None
    """How often the clip goes round: its length over its period; 0 if it does not repeat."""
    path_rotation: float | None = None
    """Angle between the camera's orientation and the commanded one, degrees, mean over time.

    None unless the request says how far its camera moves, and the pose of half the frames is found.
    The lens is taken to be 60° wide, as a video does not tell.
    """
    path_direction: float | None = None
    """Angle between the directions of travel, degrees, mean; None if neither travels."""
    return_rotation: float | None = None
    """Where the commanded path comes back: angle between the two views, degrees."""
    return_shift: float | None = None
    """Where the commanded path comes back: median distance of common points, picture widths."""
    others: Mapping[str, float] = field(default_factory=dict)
    """The scores of installed scorers, by name: see :mod:`workbench.measures.scorers`."""

    @property
    def by_name(self) -> dict[str, float]:
        """Every measure that was taken, by its name, in order."""
        found = {name: getattr(self, name) for name in SCORE_NAMES}
        return {**{name: v for name, v in found.items() if v is not None}, **self.others}

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Scores:
        """Return the scores that ``values`` name; raises ``ValueError`` when one is missing."""
        try:
            known = {name: float(values[name]) for name in SCORE_NAMES if name in values}
            others = {name: float(v) for name, v in values.items() if name not in SCORE_NAMES}
            return cls(**known, others=others)
        except TypeError as error:
            raise ValueError(f"these are not scores: {error}") from error


SCORE_NAMES: Final = tuple(one.name for one in fields(Scores) if one.name != "others")
"""The workbench's own measures; installed scorers add theirs."""

LOWER_IS_BETTER: Final = frozenset(
    {
        "flicker", "clipping", "silence", "sound_clipping", "sound_length", "exposure_drift", "colour_drift",
        "sharpness_drift", "seams", "repeated_frames", "standstill", "cuts", "loops",
        "path_rotation", "path_direction", "return_rotation", "return_shift",
    }
)  # fmt: skip
"""The measures of which less is better."""
