"""Agreement of a video with its prompt, by CLIP, SigLIP and similar models.

Loads PyTorch only in ``AgreementModel``, which runs in its own process: that of the scorer
``Agreement``, or ``python -m workbench.measures.agreement MODEL``. Weights come from a folder, or
from the hub if the settings allow it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from workbench.errors import EngineUnavailable
from workbench.helper_processes import WORKING_FOLDER, helper_command, helper_environment
from workbench.settings import Settings

__all__ = ["Agreement", "AgreementModel", "prompt_agreement"]

_FRAMES: Final = 8


def prompt_agreement(
    videos: Mapping[str, tuple[Path, str]], model: str, settings: Settings
) -> dict[str, float]:
    """Return the agreement of each video with its prompt: -1 to 1, in practice 0.1 to 0.4.

    The mean, over eight frames evenly spaced in time, of the cosine between the model's embeddings
    of the frame and of the prompt (CLIPScore of Hessel et al. 2021 without its factor; *overall
    consistency* in VBench asks the same). A prompt is truncated to the model's text length (77
    tokens for CLIP). Compare only values of one model. ``model`` is a folder or a hub name. Raises
    ``EngineUnavailable`` when the model cannot be loaded.
    """
    if Path(model).is_absolute() and not Path(model).is_dir():
        raise EngineUnavailable(f"The model {model!r} cannot measure agreement: no such folder.")
    asked = {key: [str(path.absolute()), prompt] for key, (path, prompt) in videos.items()}
    if Path(model).is_dir():
        model = str(Path(model).absolute())  # the other process has another working directory
    command = helper_command("workbench.measures.agreement", model)
    if not settings.allow_hub:
        command.append("--offline")
    done = subprocess.run(  # errors are reported below
        command,
        input=json.dumps(asked),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        cwd=WORKING_FOLDER,
        env=helper_environment(),
    )
    if done.returncode:
        told = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise EngineUnavailable(f"The model {model!r} cannot measure agreement: {told}.")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


class AgreementModel:
    """A loaded CLIP-like model; loading takes seconds, each video about a second on a CPU."""

    def __init__(self, name: str, *, offline: bool) -> None:
        import torch  # noqa: PLC0415  only in a separate process
        from transformers import AutoModel, AutoProcessor  # noqa: PLC0415

        self._torch = torch
        self._model = AutoModel.from_pretrained(name, local_files_only=offline).eval()
        self._processor: Any = AutoProcessor.from_pretrained(name, local_files_only=offline)

    def agreement(self, video: Path, prompt: str) -> float:
        """Return the mean cosine of eight frames of ``video`` and ``prompt``, -1 to 1."""
        inputs = self._processor(
            text=[prompt],
            images=_frames(video),
            return_tensors="pt",
            padding="max_length",
            truncation=True,
            max_length=self._model.config.text_config.max_position_embeddings,
        )
        with self._torch.inference_mode():
            out = self._model(**inputs)
        pictures = self._torch.nn.functional.normalize(out.image_embeds, dim=-1)
        text = self._torch.nn.functional.normalize(out.text_embeds, dim=-1)
        return float((pictures @ text.T).mean())


class Agreement:
    """Scores a video against the prompt of its recipe, by ``Settings.agreement_model``."""

    name = "agreement"
    range = (-1.0, 1.0)
    direction = "higher"

    def __init__(self) -> None:
        settings = Settings()
        self._model = AgreementModel(settings.agreement_model, offline=not settings.allow_hub)

    def score(self, video: Path, recipe: Mapping[str, Any]) -> float:
        """Return the agreement of ``video`` with its prompt, -1 to 1."""
        return self._model.agreement(video, recipe["request"]["prompt"])


def _frames(path: Path) -> list[Any]:
    import numpy as np  # noqa: PLC0415

    from workbench.engines.probe import decode_video, probe_video  # noqa: PLC0415

    count = probe_video(path).num_frames
    chosen = set(np.linspace(0, max(0, count - 1), _FRAMES).round().astype(int).tolist())
    return [frame for number, frame in enumerate(decode_video(path)) if number in chosen]


def main(arguments: Sequence[str]) -> None:
    """Measure the videos listed on standard input; print the result as one line of JSON."""
    asked = json.loads(sys.stdin.read())
    model = AgreementModel(arguments[0], offline="--offline" in arguments)
    found = {key: model.agreement(Path(path), prompt) for key, (path, prompt) in asked.items()}
    sys.stdout.write(f"\n{json.dumps(found)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
