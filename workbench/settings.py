"""Settings: where outputs go, which engine and language model to use, and the limits.

Read from the environment (``WORKBENCH_*``), then from ``workbench.toml`` beside the outputs folder
or in the project folder, then from the defaults here. The one place that normalises them: empty
means unset, white space is stripped, paths are absolute. Knows nothing of who uses them.
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
"""Set in an environment that holds every setting: no file is read, so an empty one stays empty."""
_PREFIX: Final = "WORKBENCH_"
_PATHS: Final = ("outputs", "index")
_FOLDERS: Final = ("model", "language_model", "agreement_model")
"""Settings that hold a hub name or a folder; one that begins with ``~`` or ``.`` is a folder."""
_CLUSTER: Final = re.compile(r"(ray://)?[A-Za-z0-9._\-\[\]:]+:\d{1,5}")


def project_folder() -> Path:
    """Return the folder that relative paths of the environment start from.

    The checkout that contains the working directory, so that a notebook's kernel, the server and a
    shell arrive at the same place; outside a checkout the working directory.
    """
    here = _current_folder()
    return next((folder for folder in (here, *here.parents) if _is_checkout(folder)), here)


def _current_folder() -> Path:
    """Return the current folder; the root where it was removed, as notebooks' folders may be."""
    try:
        return Path.cwd().resolve()
    except FileNotFoundError:
        return Path("/")


def find_outputs() -> Path:
    """Return the outputs folder that every process on this machine arrives at.

    ``WORKBENCH_OUTPUTS`` if set; else ``outputs/`` of the checkout that the working directory
    stands in; else ``outputs/`` of the checkout that this package is installed from; else
    ``outputs/`` in the user's data folder.
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
    """Write the folders of ``settings`` to an environment, absolute, for every process it starts."""
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
                f"{folder} cannot be written by this user: {error.strerror or error}. Give the "
                f"right to write there, or set {_PREFIX}OUTPUTS (and {_PREFIX}INDEX) to a folder "
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
    """The engine a render uses when the request names none."""
    engines: dict[str, str] = Field(default_factory=dict)
    """Engines beyond the embedded and installed ones: name → ``module:Class``."""
    model: str = ""
    """Hub name or folder of the video model, for engines that need one."""
    models: str = ""
    """Folders that hold video models, separated as in PATH."""
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

    prompt_form: Literal["auto", "paragraph", "short", "wan", "ltx", "cosmos"] = "auto"
    """The form in which a model gets the prompt; ``auto`` chooses by the model's family."""

    max_prompt_chars: int = Field(4_000, ge=1)
    max_batch_prompts: int = Field(64, ge=1)
    max_queued_jobs: int = Field(1_000, ge=1)
    max_body_bytes: int = Field(1 << 20, ge=1_024)
    max_frames: int = Field(1_441, ge=1)
    max_pixels: int = Field(3_840 * 2_160, ge=64 * 64)
    """Largest width times height of one frame."""
    max_open_zips: int = Field(4, ge=1)
    max_event_clients: int = Field(512, ge=1)
    """Open websockets with events; a further one is refused for a while."""
    max_inputs: int = Field(1_000, ge=1)
    max_inputs_bytes: int = Field(10 << 30, ge=1_024)
    """Uploaded pictures and videos that are kept, in number and in bytes."""
    max_visitor_uploads: int = Field(200, ge=1)
    max_visitor_upload_bytes: int = Field(2 << 30, ge=1_024)
    """What one visitor may send within an hour, in number and in bytes."""
    client_stall_s: float = Field(60.0, gt=0)
    """A client that reads nothing of a ZIP or of its events for this long is disconnected."""

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
    """Timeout of joining the cluster; joining is then retried."""
    cluster_absence_s: float = Field(30.0, gt=0)
    """A worker on the cluster that hears nothing from its supervisor for this long exits."""
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
    placeholders: bool = True
    """Whether a render of another engine gets a storyboard to show until it is complete."""
    scores: bool = True
    """Whether every finished video is measured; off, only those whose scores are asked for are."""
    scores_timeout_s: float = Field(600.0, gt=0)
    """Measuring one video may take this long."""
    scores_niceness: int = Field(19, ge=0, le=19)
    """Niceness of measuring: 19 uses only idle CPU time, 0 an equal share."""
    scorers: dict[str, str] = Field(default_factory=dict)
    """Scorers beyond the installed ones: name → ``module:Class``."""
    scorer_timeout_s: float = Field(120.0, gt=0)
    """One scorer may take this long over a video, its start included."""
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
    undo_s: float = Field(3_600.0, ge=0)
    """Deleted videos and sessions can be brought back for this long."""
    idle_exit_s: float = Field(600.0, gt=0)
    """A supervisor with nothing to do for this long exits."""
    idle_unload_s: float = Field(300.0, gt=0)
    """A model unused for this long is unloaded."""

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
            raise ValueError("say a URL such as http://host:8000/v1")
        return url

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
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the base class passes it
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take keyword arguments first, then the environment, then ``workbench.toml``."""
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
        raise ValueError(f"no home folder is known for {path}; say the whole path") from error


def _is_checkout(folder: Path) -> bool:
    try:
        return (folder / "pyproject.toml").is_file() and (
            folder / "workbench" / "scene.py"
        ).is_file()
    except OSError:  # a folder above that may not be read
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
