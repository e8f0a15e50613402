"""Settings: where outputs go, which engine and language model to use, and the limits.

Read from the environment (``WORKBENCH_*``), then from ``workbench.toml`` beside the outputs folder
or in the project folder, then from the defaults here. The only place that normalises them: empty
means unset, white space is stripped, paths are absolute. Knows nothing of its users.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from workbench.errors import InvalidSettings, Unavailable

__all__ = [
    "COMPLETE",
    "Settings",
    "check_folders",
    "export_paths",
    "find_outputs",
    "project_folder",
]

COMPLETE: Final = "WORKBENCH_SETTINGS_COMPLETE"
"""Set in an environment that holds every setting: no file is read, so empty means empty."""
_PREFIX: Final = "WORKBENCH_"
_PATHS: Final = ("outputs", "index")
_FOLDERS: Final = (
    "model", "language_model", "agreement_model", "depth_model", "pose_model", "segments_model",
    "person_detector",
)  # fmt: skip
"""Settings that hold a hub name or a folder; one that begins with ``~`` or ``.`` is a folder."""
_CLUSTER: Final = re.compile(r"(ray://)?[A-Za-z0-9._\-\[\]:]+:\d{1,5}")


def project_folder() -> Path:
    """Return the folder that relative paths of the environment start from.

    The checkout that contains the working directory, so that a notebook's kernel, the server and a
    shell find the same folder; outside a checkout, the working directory.
    """
    here = _current_folder()
    return next((folder for folder in (here, *here.parents) if _is_checkout(folder)), here)


def _current_folder() -> Path:
    """Return the current folder; the root if it was removed, as a notebook's folder may be."""
    try:
        return Path.cwd().resolve()
    except FileNotFoundError:
        return Path("/")


def find_outputs() -> Path:
    """Return the outputs folder, the same for every process on this machine.

    ``WORKBENCH_OUTPUTS`` if set; else ``outputs/`` of the checkout around the working directory;
    else ``outputs/`` of the checkout that this package is installed from; else ``outputs/`` in the
    user's data folder.
    """
    if explicit := os.environ.get(f"{_PREFIX}OUTPUTS", "").strip():
        return _absolute(explicit, project_folder())
    installed_from = Path(__file__).resolve().parent.parent
    for folder in (project_folder(), installed_from):
        if _is_checkout(folder):
            return folder / "outputs"
    from platformdirs import user_data_path  # noqa: PLC0415  only an installed package needs it

    return user_data_path("world-model-workbench") / "outputs"


def export_paths(settings: Settings, environment: MutableMapping[str, str]) -> None:
    """Write the folders of ``settings`` to ``environment``, absolute, for child processes."""
    environment[f"{_PREFIX}OUTPUTS"] = str(settings.outputs)
    if settings.index is not None:
        environment[f"{_PREFIX}INDEX"] = str(settings.index)


def check_folders(settings: Settings) -> None:
    """Raise ``Unavailable`` unless this user can write outputs/ and the index's folder."""
    for folder in (settings.outputs, settings.index_path.parent):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise Unavailable(
                f"{folder} cannot be written by this user: {error.strerror or error}. Grant "
                f"write permission, or set {_PREFIX}OUTPUTS (and {_PREFIX}INDEX) to a folder "
                "of your own."
            ) from error


class Settings(BaseSettings):
    """Every setting, with its default; frozen once read.

    Construct with keyword arguments to override (tests do); ``Settings()`` reads the environment
    and ``workbench.toml``. Raises :class:`workbench.errors.InvalidSettings` for a bad value.
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, frozen=True, extra="ignore", validate_default=True
    )

    outputs: Path = Field(default_factory=find_outputs)
    """The folder that jobs are written to."""
    index: Path | None = None
    """The SQLite index; ``outputs/.workbench/index.sqlite3`` unless outputs/ is on a network disk."""

    engine: str = "animatic"
    """The engine for requests that name none."""
    engines: dict[str, str] = Field(default_factory=dict)
    """Engines besides the built-in and installed ones: name → ``module:Class``."""
    model: str = ""
    """Hub name or folder of the video model, for engines that need one."""
    models: str = ""
    """Folders with video models, separated as in PATH."""
    depth_model: str = ""
    """Folder of a model of transformers that estimates depth, to control a video by."""
    pose_model: str = ""
    """Folder of a ViTPose, which estimates poses."""
    segments_model: str = ""
    """Folder of a model of transformers that segments pictures."""
    person_detector: str = ""
    """Folder of a model of transformers that finds the people whose pose is estimated."""
    allow_hub: bool = False
    """Whether weights may be fetched from a model hub."""

    remote_base_url: str = ""
    """Base URL of the remote engine's ``/videos``, such as ``http://host:30000/v1``."""
    remote_worlds: bool = False
    """Whether that server has live worlds too (SGLang's ``/realtime_video``): a live view begins
    with them."""
    remote_model: str = ""
    """Its model for requests that name none."""
    remote_api_key: SecretStr = SecretStr("")
    remote_timeout_s: float = Field(1_800.0, gt=0)
    """Timeout of a video, from the request to the finished download."""
    remote_request_timeout_s: float = Field(60.0, gt=0, le=600)
    """Timeout of a single HTTP request without any response."""
    remote_poll_s: float = Field(2.0, gt=0, le=60)
    remote_retries: int = Field(5, ge=0, le=20)

    language_provider: Literal["builtin", "openai", "local", "transformers"] = "builtin"
    """Writer of prompts: the built-in composer, an endpoint, or a model in a local file or folder;
    ``transformers`` is the former name of ``local``."""
    language_model: str = ""
    language_base_url: str = ""
    language_api_key: SecretStr = SecretStr("")
    language_timeout_s: float = Field(60.0, gt=0, le=600)
    language_retries: int = Field(2, ge=0, le=10)

    prompt_form: Literal["auto", "paragraph", "short", "wan", "ltx", "cosmos"] = "auto"
    """The form in which a model receives the prompt; ``auto`` chooses by the model's family."""

    max_prompt_chars: int = Field(4_000, ge=1)
    max_batch_prompts: int = Field(64, ge=1)
    max_queued_jobs: int = Field(1_000, ge=1)
    max_body_bytes: int = Field(1 << 20, ge=1_024)
    max_frames: int = Field(1_441, ge=1)
    max_pixels: int = Field(3_840 * 2_160, ge=64 * 64)
    """Largest width times height of one frame."""
    max_open_zips: int = Field(4, ge=1)
    max_event_clients: int = Field(512, ge=1)
    """Most event websockets at a time; further ones are refused for a while."""
    max_inputs: int = Field(1_000, ge=1)
    max_inputs_bytes: int = Field(10 << 30, ge=1_024)
    """Most uploaded files kept, in number and in bytes."""
    max_visitor_uploads: int = Field(200, ge=1)
    max_visitor_upload_bytes: int = Field(2 << 30, ge=1_024)
    """Most uploads of one visitor within an hour, in number and in bytes."""
    client_stall_s: float = Field(60.0, gt=0)
    """A client that reads nothing of a ZIP or its events for this long is disconnected."""

    devices: tuple[str, ...] = ()
    """GPU UUIDs or indices to use; empty means all that are visible."""
    cpu_workers: int | None = Field(None, ge=0, le=256)
    """Number of CPU workers; None means as many as fit the cores."""
    slots_per_gpu: int = Field(1, ge=1, le=16)
    """Number of workers that share one GPU, if its memory fits several models."""
    spare_workers: int = Field(1, ge=0, le=8)
    """Number of spare workers, each about 100 MB; one replaces a lost worker at once."""
    cluster: str = ""
    """A Ray cluster to render on as well: ``ray://host:10001``, ``host:6379``, ``auto`` for the one
    this machine belongs to, ``local`` for a new one on this machine; empty for none."""
    cluster_cpu_workers: int = Field(0, ge=0, le=256)
    """Number of CPU workers, for animatics, on each other machine of the cluster."""
    cluster_join_timeout_s: float = Field(90.0, gt=0)
    """Timeout of joining the cluster; joining is then retried."""
    cluster_absence_s: float = Field(30.0, gt=0)
    """A cluster worker without a message from its supervisor for this long exits."""
    language_on_cluster: bool = False
    """Whether the local language model (``transformers``) runs on the cluster instead of here."""
    language_gpus: float = Field(1.0, ge=0, le=16)
    """GPUs, or a fraction of one, that it uses there; 0 for a CPU."""
    max_attempts: int = Field(3, ge=1, le=20)
    render_timeout_s: float = Field(3_600.0, gt=0)
    heartbeat_s: float = Field(0.2, gt=0, le=60)
    lease_s: float = Field(15.0, gt=0)
    """A worker silent for this long counts as dead or stopped."""
    cancel_grace_s: float = Field(30.0, gt=0)
    """Time for a cancelled running job to stop by itself; after that its worker is killed."""
    worker_start_timeout_s: float = Field(120.0, gt=0)
    """Longest silence of a worker that is starting or loading a model."""
    placeholders: bool = True
    """Whether other engines' renders get a storyboard to show until they are complete."""
    scores: bool = True
    """Whether to measure every finished video; if off, only those whose scores are requested."""
    scores_timeout_s: float = Field(600.0, gt=0)
    """Timeout of measuring one video."""
    scores_niceness: int = Field(19, ge=0, le=19)
    """Niceness of the scorer: 19 uses only idle CPU time, 0 an equal share."""
    scores_held_s: float = Field(10.0, ge=0)
    """Longest that a finished video waits to be measured while renders use every core; a video
    whose scores a client waits for is measured at once."""
    scorers: dict[str, str] = Field(default_factory=dict)
    """Scorers besides the installed ones: name → ``module:Class``."""
    scorer_timeout_s: float = Field(120.0, gt=0)
    """Timeout of one scorer for one video, including its start."""
    agreement_model: str = ""
    """A CLIP-like model, by folder or hub name, to score agreement with the prompt."""
    disk_reserve_bytes: int = Field(512 << 20, ge=0)
    """New renders are refused if the disk of outputs/ has less free space than this."""
    retention_days: float | None = Field(None, gt=0)
    """Ended jobs older than this are removed; None keeps them. Starred jobs are always kept."""
    retention_jobs: int | None = Field(None, ge=0)
    """Only this many of the newest ended jobs are kept; None keeps all."""
    retention_bytes: int | None = Field(None, ge=0)
    """The oldest videos are removed once their total size exceeds this; None sets no limit."""
    frames_days: float | None = Field(30.0, gt=0)
    """The lossless frames of rollout segments older than this are removed, but not their videos; None
    keeps them. Those of starred segments are always kept."""
    undo_s: float = Field(3_600.0, ge=0)
    """Deleted videos and sessions can be restored for this long."""
    idle_exit_s: float = Field(60.0, gt=0)
    """A supervisor that is idle for this long exits with its workers, unless one holds a model."""
    idle_unload_s: float = Field(300.0, gt=0)
    """A model unused for this long is unloaded; a cluster's machines are kept as long."""
    language_idle_s: float = Field(600.0, gt=0)
    """A local language model unused for this long is unloaded."""

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except (ValidationError, SettingsError, tomllib.TOMLDecodeError, OSError) as error:
            raise InvalidSettings(_sentence(error)) from error

    @model_validator(mode="before")
    @classmethod
    def _strip(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return {k: v.strip() if isinstance(v, str) else v for k, v in values.items()}

    @field_validator(*_PATHS)
    @classmethod
    def _resolve(cls, path: Path | None) -> Path | None:
        return None if path is None else _absolute(path, _current_folder())

    @field_validator(*_FOLDERS)
    @classmethod
    def _resolve_folder(cls, named: str) -> str:
        is_folder = named.startswith(("~", "./", "../"))
        return str(_absolute(named, project_folder())) if is_folder else named

    @field_validator("remote_base_url", "language_base_url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        parts = urlsplit(url)
        broken = re.search(r"[\s\x00-\x1f]", url)
        if url and (broken or parts.scheme not in {"http", "https"} or not parts.netloc):
            raise ValueError("must be a URL such as http://host:8000/v1")
        return url

    @field_validator("cluster")
    @classmethod
    def _check_cluster(cls, address: str) -> str:
        if address in {"", "auto", "local"} or _CLUSTER.fullmatch(address):
            return address
        raise ValueError("must be ray://host:port, host:port, auto, local or empty")

    @property
    def index_path(self) -> Path:
        """The SQLite index in use."""
        return self.index or self.outputs / ".workbench" / "index.sqlite3"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the base class passes it
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Precedence: keyword arguments, then the environment, then ``workbench.toml``."""
        if os.environ.get(COMPLETE):
            return (init_settings, _Environment(settings_cls))
        folders = dict.fromkeys((find_outputs().parent, project_folder()))
        files = [_file_source(settings_cls, folder / "workbench.toml") for folder in folders]
        return (init_settings, _Environment(settings_cls), *files)


class _Environment(EnvSettingsSource):
    """The environment: an empty variable is unset, a relative path starts at the project folder."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        value, key, is_complex = super().get_field_value(field, field_name)
        if isinstance(value, str):
            value = value.strip() or None
        if value is not None and field_name in _PATHS:
            value = _absolute(value, project_folder())
        return value, key, is_complex

    def prepare_field_value(
        self, field_name: str, field: FieldInfo, value: Any, value_is_complex: bool
    ) -> Any:
        if field_name == "devices" and value and not value.startswith("["):
            return [name.strip() for name in value.split(",")]
        return super().prepare_field_value(field_name, field, value, value_is_complex)


def _file_source(settings_cls: type[BaseSettings], path: Path) -> InitSettingsSource:
    """Read ``workbench.toml``, if it is there; a relative path starts at its own folder."""
    values = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    paths = {k: _absolute(values[k], path.parent) for k in _PATHS if values.get(k)}
    return InitSettingsSource(settings_cls, {**values, **paths})


def _absolute(path: str | Path, base: Path) -> Path:
    try:
        return (base / Path(path).expanduser()).resolve()
    except RuntimeError as error:  # ~ without a home
        raise ValueError(f"the home folder of {path} is unknown; give the full path") from error


def _is_checkout(folder: Path) -> bool:
    try:
        return (folder / "pyproject.toml").is_file() and (
            folder / "workbench" / "scene.py"
        ).is_file()
    except OSError:  # a parent folder is not readable
        return False


def _sentence(error: Exception) -> str:
    if isinstance(error, tomllib.TOMLDecodeError | OSError):
        return f"workbench.toml cannot be read: {error}."
    if not isinstance(error, ValidationError):
        return f"A setting in the environment cannot be read: {error}; lists are written as JSON."
    told = []
    for item in error.errors(include_url=False):
        name = ".".join(str(part) for part in item["loc"])
        secret = "" if "key" in name else f" {item['input']!r}"
        told.append(f"{name} ({_PREFIX}{name.upper()}) cannot be{secret}: {item['msg']}")
    return f"The settings are not valid. {'; '.join(told)}."
