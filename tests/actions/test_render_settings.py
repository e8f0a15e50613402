"""Render settings: what replaces what, and the sizes and lengths that an engine accepts."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from workbench.actions.fitting import effective, fit
from workbench.actions.render_settings import RenderSettings, aspect_of
from workbench.errors import FieldProblem, InvalidRequest
from workbench.rendering import RenderRequest


def _strict(request: RenderRequest) -> RenderRequest:
    """Complete a request like a model that needs multiples of 16 and 4k+1 frames."""
    values = {
        "width": request.width or 832,
        "height": request.height or 480,
        "fps": request.fps or 16,
        "num_frames": request.num_frames or 81,
    }
    problems = [FieldProblem(n, "a multiple of 16") for n in ("width", "height") if values[n] % 16]
    if values["num_frames"] % 4 != 1:
        problems.append(FieldProblem("num_frames", "4k+1"))
    if request.guidance_scale == 99:
        problems.append(FieldProblem("guidance_scale", "too much"))
    if problems:
        raise InvalidRequest("refused", tuple(problems))
    return request.model_copy(update=values)


def _fitted(**values: object) -> RenderRequest:
    settings = RenderSettings().with_values(dict(values))
    return fit(settings, RenderRequest(prompt="a cat"), _strict)


def test_an_aspect_ratio_keeps_the_area_and_uses_sizes_the_engine_accepts() -> None:
    tall = _fitted(aspect="9:16")
    assert (tall.width, tall.height) == (480, 848)
    square = _fitted(aspect="1:1")
    assert square.width == square.height == 624


def test_a_length_in_seconds_becomes_the_nearest_frame_count_the_engine_accepts() -> None:
    assert _fitted(seconds=10).num_frames == 161
    assert _fitted(seconds=3, fps=24).num_frames == 73


def test_a_renders_own_settings_win() -> None:
    settings = RenderSettings(aspect="9:16", seconds=10, fps=8)
    asked = RenderRequest(prompt="a cat", width=640, height=640, num_frames=17)
    made = fit(settings, asked, _strict)
    assert (made.width, made.height, made.num_frames, made.fps) == (640, 640, 17, 8)


def test_a_refusal_of_another_field_is_reported_without_trying_other_sizes() -> None:
    with pytest.raises(InvalidRequest) as refused:
        _fitted(aspect="9:16", guidance_scale=99)
    assert "guidance_scale" in {problem.field for problem in refused.value.problems}


def test_a_new_format_replaces_a_fixed_size_and_a_length_the_number_of_frames() -> None:
    fixed = RenderSettings(width=640, height=480, num_frames=33)
    changed = fixed.with_values({"aspect": "16:9", "seconds": 4})
    assert changed.stated() == {"seconds": 4.0, "aspect": "16:9"}
    assert changed.with_values({"width": 512, "height": 512}).aspect is None


def test_null_clears_a_setting() -> None:
    assert RenderSettings(seed=3, fps=8).with_values({"seed": None}).stated() == {"fps": 8}


@pytest.mark.parametrize("values", [{"aspect": "wide"}, {"aspect": "1:90"}, {"fps": 0}, {"huh": 1}])
def test_an_invalid_setting_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RenderSettings().with_values(values)


def test_twice_as_long_is_relative_to_the_engines_default() -> None:
    known = effective(RenderSettings(fps=8), _fitted(fps=8))
    assert (known.seconds, known.width, known.fps) == (81 / 8, 832, 8)


def test_an_aspect_is_a_ratio() -> None:
    assert aspect_of("16:9") == pytest.approx(16 / 9)
    assert aspect_of("9:0") == 0
