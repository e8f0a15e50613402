"""Settings: where outputs go, which engine and language model to use, and the limits.

Read from the environment (``WORKBENCH_*``), then from ``workbench.toml`` beside the outputs folder
or in the working directory, then from the defaults here. Knows nothing of who uses them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

__all__ = ["Settings", "find_outputs"]

_CLUSTER: Final = re.compile(r"(ray://)?[A-Za-z0-9._\-\[\]:]+:\d{1,5}")


def find_outputs() -> Path:
    """Return the outputs folder that every process on this machine arrives at.

    ``WORKBENCH_OUTPUTS`` if set; else ``outputs/`` of the checkout that the working directory
    stands in; else ``outputs/`` of the checkout that this package is installed from; else
    ``outputs/`` in the user's data folder.
    """
    if explicit := os.environ.get("WORKBENCH_OUTPUTS"):
        return Path(explicit).expanduser().resolve()
    here = Path.cwd().resolve()
    package = Path(__file__).resolve().parent
    for folder in (here, *here.parents, package.parent):
        if (folder / "pyproject.toml").is_file() and (folder / "workbench" / "scene.py").is_file():
            return folder / "outputs"
    from platformdirs import user_data_path  # noqa: PLC0415  only an installed package needs it

    return user_data_path("world-model-workbench") / "outputs"


class Settings(BaseSettings):
    """Every setting, with its default; frozen once read.

    Construct with keyword arguments to override (tests do); ``Settings()`` reads the environment
    and ``workbench.toml``. Raises ``pydantic.ValidationError`` for a value out of range.
    """

    model_config = SettingsConfigDict(
        env_prefix="WORKBENCH_", frozen=True, extra="ignore", validate_default=True
    )

    outputs: Path = Field(default_factory=find_outputs)
    """The folder that jobs are written to."""
    index: Path | None = None
    """The SQLite index; ``outputs/.workbench/index.sqlite3`` unless outputs/ is on a network disk."""

    engine: str = "animatic"
    """The engine a render uses when the request names none."""
    engines: dict[str, str] = Field(default_factory=dict)
    """Engines beyond the embedded and installed ones: name → ``module:Class``."""
    model: str = ""
    """Hub name or folder of the video model, for engines that need one."""
    allow_hub: bool = False
    """Whether weights may be fetched from a model hub."""

    remote_base_url: str = ""
    """Where the remote engine finds ``/videos``, such as ``http://host:30000/v1``."""
    remote_model: str = ""
    """The model it asks for when the request names none."""
    remote_api_key: SecretStr = SecretStr("")
    remote_timeout_s: float = Field(1_800.0, gt=0)
    """A video may take this long, from asking to having it."""
    remote_request_timeout_s: float = Field(60.0, gt=0, le=600)
    """Each request may take this long without a sign of life."""
    remote_poll_s: float = Field(2.0, gt=0, le=60)
    remote_retries: int = Field(5, ge=0, le=20)

    language_provider: Literal["builtin", "openai", "local", "transformers"] = "builtin"
    """Who writes prompts: the built-in composer, an endpoint, or a model in a file or folder here;
    ``transformers`` is the former name of ``local``."""
    language_model: str = ""
    language_base_url: str = ""
    language_api_key: SecretStr = SecretStr("")
    language_timeout_s: float = Field(60.0, gt=0, le=600)
    language_retries: int = Field(2, ge=0, le=10)

    prompt_form: Literal["auto", "paragraph", "wan", "ltx", "cosmos"] = "paragraph"
    """How a prompt is told to a model; ``auto`` goes by the model's family."""

    max_prompt_chars: int = Field(4_000, ge=1)
    max_batch_prompts: int = Field(64, ge=1)
    max_queued_jobs: int = Field(1_000, ge=1)
    max_body_bytes: int = Field(1 << 20, ge=1_024)
    max_frames: int = Field(1_441, ge=1)
    max_pixels: int = Field(3_840 * 2_160, ge=64 * 64)
    """Largest width times height of one frame."""
    max_open_zips: int = Field(4, ge=1)

    devices: tuple[str, ...] = ()
    """GPU UUIDs or indices to use; empty means all that are visible."""
    cpu_workers: int | None = Field(None, ge=0, le=256)
    """CPU workers; None means as many as fit the cores."""
    slots_per_gpu: int = Field(1, ge=1, le=16)
    """Workers that share one GPU, where its memory holds several models."""
    spare_workers: int = Field(1, ge=0, le=8)
    """Workers kept ready without a device, each about 100 MB: one takes a lost one's place at once."""
    cluster: str = ""
    """A Ray cluster to render on too: ``ray://host:10001``, ``host:6379``, ``auto`` for the one
    that this machine is in, ``local`` for one of its own; empty for none."""
    cluster_cpu_workers: int = Field(0, ge=0, le=256)
    """CPU workers, for animatics, on each machine of the cluster but this one."""
    cluster_join_timeout_s: float = Field(90.0, gt=0)
    """Joining the cluster may take this long, then it is given up and tried again."""
    cluster_absence_s: float = Field(30.0, gt=0)
    """A worker on the cluster that hears nothing from its supervisor for this long leaves."""
    language_on_cluster: bool = False
    """Whether the local language model (``transformers``) lives on the cluster, not here."""
    language_gpus: float = Field(1.0, ge=0, le=16)
    """GPUs, or a share of one, that it takes there; 0 for a processor."""
    max_attempts: int = Field(3, ge=1, le=20)
    render_timeout_s: float = Field(3_600.0, gt=0)
    heartbeat_s: float = Field(0.2, gt=0, le=60)
    lease_s: float = Field(15.0, gt=0)
    """A worker silent for this long is taken for dead or stopped."""
    cancel_grace_s: float = Field(30.0, gt=0)
    """A running job that was cancelled has this long to stop by itself, then its worker is ended."""
    worker_start_timeout_s: float = Field(120.0, gt=0)
    """A worker must be ready, and a model loaded, without falling silent for longer than this."""
    scores: bool = True
    """Whether every finished video is measured; off, only those whose scores are asked for are."""
    scores_timeout_s: float = Field(600.0, gt=0)
    """Measuring one video may take this long."""
    scores_niceness: int = Field(19, ge=0, le=19)
    """How far measuring stands back behind renders: 19 takes what they leave, 0 an equal share."""
    agreement_model: str = ""
    """A model of the CLIP kind, by folder or hub name: scores then tell how well the prompt shows."""
    disk_reserve_bytes: int = Field(512 << 20, ge=0)
    """With less than this free on the disk of outputs/, new renders are refused."""
    retention_days: float | None = Field(None, gt=0)
    """Ended jobs older than this are removed; None keeps them. Starred ones always stay."""
    retention_jobs: int | None = Field(None, ge=0)
    """Of ended jobs, only this many of the newest are kept; None keeps all."""
    retention_bytes: int | None = Field(None, ge=0)
    """The oldest videos go once all together are larger than this; None sets no limit."""
    idle_exit_s: float = Field(600.0, gt=0)
    """A supervisor with nothing to do for this long leaves."""
    idle_unload_s: float = Field(300.0, gt=0)
    """A model unused for this long is unloaded."""

    @field_validator("cluster")
    @classmethod
    def _check_cluster(cls, address: str) -> str:
        if address in {"", "auto", "local"} or _CLUSTER.fullmatch(address):
            return address
        raise ValueError("say ray://host:port, host:port, auto, local, or nothing")

    @property
    def index_path(self) -> Path:
        """The SQLite index in use."""
        return self.index or self.outputs / ".workbench" / "index.sqlite3"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the base class passes it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take keyword arguments first, then the environment, then ``workbench.toml``."""
        files = [find_outputs().parent / "workbench.toml", Path.cwd() / "workbench.toml"]
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(settings_cls, toml_file=files),
        )
