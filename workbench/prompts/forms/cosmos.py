"""Cosmos 3's caption: JSON with every key of its training captions, made from the scene.

Keys, and the format of duration, frame rate, size and shape, are those of the authors' prompt
upsampler and of diffusers' ``Cosmos3OmniPipeline``. What a scene does not state is left empty.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from workbench.cast import Aspect, Beat, Entity, EntityKind
from workbench.scene import Scene

__all__ = ["Shape", "cosmos_caption"]

_RATIOS: Final = ("1,1", "4,3", "3,4", "16,9", "9,16")
_LEGS: Final = {EntityKind.PERSON: (2, 2), EntityKind.ROBOT: (0, 0)}
"""Arms and legs by kind."""
_SOUGHT_S: Final = 5.0
"""Assumed length of a video whose shape is not known yet."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Size, length and frame rate of the requested video."""

    width: int
    height: int
    num_frames: int
    fps: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.num_frames / self.fps if self.fps > 0 else 0.0

    @property
    def ratio(self) -> str:
        """The nearest aspect ratio that captions use, such as ``16,9``."""
        wanted = self.width / self.height if self.height else 1.0
        return min(_RATIOS, key=lambda r: abs(_value(r) - wanted))


def cosmos_caption(prompt: str, scene: Scene, shape: Shape | None = None) -> str:
    """Return the caption of ``prompt`` and ``scene`` as one JSON document."""
    length_s = _SOUGHT_S if shape is None else shape.duration_s
    moments = _moments(scene, prompt, length_s)
    caption: dict[str, Any] = {
        "subjects": [_subject(entity, scene) for entity in scene.cast],
        "background_setting": scene.setting,
        "lighting": {
            "conditions": _joined(scene.lighting, scene.time_of_day, scene.weather),
            "direction": "",
            "shadows": "",
            "illumination_effect": "",
        },
        "aesthetics": {
            "composition": "",
            "color_scheme": scene.color_palette,
            "mood_atmosphere": scene.mood,
            "patterns": "",
        },
        "cinematography": {
            "camera_motion": scene.camera_movement,
            "framing": _joined(scene.shot_size, scene.viewpoint),
            "camera_angle": scene.camera_angle,
            "depth_of_field": scene.lens if "depth of field" in scene.lens else "",
            "focus": scene.lens if "focus" in scene.lens else "",
            "lens_focal_length": scene.lens if "lens" in scene.lens or "mm" in scene.lens else "",
        },
        "style_medium": scene.style,
        "artistic_style": scene.style,
        "context": _joined(*scene.details),
        "actions": [{"time": time, "description": what} for time, what in moments],
        "text_and_signage_elements": _signage(scene.on_screen_text),
        "segments": [
            {
                "segment_index": number,
                "time_range": time,
                "description": what,
                "key_changes": "",
                "camera": scene.camera_movement,
            }
            for number, (time, what) in enumerate(moments)
        ],
        "transitions": [],
        "temporal_caption": prompt,
        "audio_description": "",
    }
    if shape is not None:
        caption |= {
            "duration": f"{int(shape.duration_s)}s",
            "fps": float(shape.fps),
            "resolution": {"H": shape.height, "W": shape.width},
            "aspect_ratio": shape.ratio,
        }
    return json.dumps(caption)  # as in training: non-ASCII letters are escaped


def _subject(entity: Entity, scene: Scene) -> dict[str, Any]:
    acts = [beat.text for beat in scene.beats_of(entity.id)]
    arms, legs = _LEGS.get(entity.kind, (0, 0))
    is_one = entity.count == 1
    return {
        "description": entity.name,
        "appearance_details": _looks(entity, Aspect.COLOUR, Aspect.MATERIAL, Aspect.OTHER),
        "relationship": "",
        "location": entity.position,
        "relative_size": "",
        "orientation": "",
        "pose": "",
        "action": _joined(*acts),
        "state_changes": _looks(entity, Aspect.STATE),
        "clothing": _looks(entity, Aspect.CLOTHING),
        "expression": "",
        "gender": "",
        "age": _looks(entity, Aspect.AGE),
        "skin_tone_and_texture": "",
        "facial_features": "",
        "number_of_subjects": entity.count or 0,
        "number_of_arms": arms if is_one else 0,
        "number_of_legs": legs if is_one else 0,
    }


def _looks(entity: Entity, *aspects: Aspect) -> str:
    return _joined(*(look.text for look in entity.looks if look.aspect in aspects))


def _moments(scene: Scene, prompt: str, length_s: float) -> list[tuple[str, str]]:
    """Return the events, each with its time range, such as ``0:00-0:03``."""
    groups = scene.moments() or ()
    told = [_joined(*(_told(beat, scene) for beat in group), by="; ") for group in groups]
    told = [one for one in told if one] or ([scene.action] if scene.action else [prompt])
    ends = [round(length_s * (number + 1) / len(told)) for number in range(len(told))]
    starts = [0, *ends[:-1]]
    return [
        (f"{_clock(start)}-{_clock(end)}", what)
        for start, end, what in zip(starts, ends, told, strict=True)
    ]


def _told(beat: Beat, scene: Scene) -> str:
    actor = scene.entity(beat.actor) if beat.actor else None
    return f"{actor.name} {beat.text}" if actor is not None else beat.text


def _signage(text: str) -> list[dict[str, str]]:
    if not text:
        return []
    empty = {"category": "", "appearance": "", "spatial_temporal": "", "context": ""}
    return [{"text": text, **empty}]


def _joined(*texts: str, by: str = ", ") -> str:
    return by.join(text for text in texts if text)


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def _value(ratio: str) -> float:
    wide, _, high = ratio.partition(",")
    return int(wide) / int(high)
