"""Previews while denoising: a linear map from latents to colours.

The map is fitted once per loaded model by encoding a few coloured tiles with its VAE and solving for
the matrix that recovers their colours. Works for any VAE and costs one small encoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from workbench.engines.posters import jpeg

__all__ = ["LatentColours", "latent_grid"]

_TILES: Final = 8
_LATENTS_PER_TILE: Final = 2
_WIDTH: Final = 256
_RIDGE: Final = 1e-3
_FLAT: Final = {"AutoencoderKL", "AsymmetricAutoencoderKL", "AutoencoderTiny",
                "AutoencoderKLTemporalDecoder"}  # fmt: skip
"""VAEs that encode pictures, not videos."""


@dataclass(frozen=True, slots=True)
class LatentColours:
    """The fitted map from one latent vector to a colour."""

    weights: Any
    """Tensor (channels + 1)×3 on the device, 32 bits; the last row is the offset."""
    channels: int

    @classmethod
    def fit(cls, pipe: Any) -> LatentColours | None:
        """Return the map for ``pipe``'s VAE; None if the VAE cannot encode a picture."""
        import torch  # noqa: PLC0415

        vae = getattr(pipe, "vae", None)
        spatial = _spatial_factor(pipe)
        if vae is None or not hasattr(vae, "encode") or not spatial:
            return None
        side = _TILES * _LATENTS_PER_TILE * spatial
        chance = torch.Generator().manual_seed(0)
        tiles = torch.rand((1, 3, _TILES, _TILES), generator=chance) * 2 - 1
        picture = torch.nn.functional.interpolate(tiles, size=(side, side), mode="nearest")
        flat = type(vae).__name__ in _FLAT
        try:
            with torch.no_grad():
                given = picture if flat else picture.unsqueeze(2)
                parameter = next(vae.parameters())
                device = getattr(pipe, "_execution_device", parameter.device)
                latents = _latents(vae.encode(given.to(device, parameter.dtype)))
                latents = _normalised(vae, latents)
        except (RuntimeError, ValueError, LookupError, AttributeError, TypeError):
            return None
        if not latents.numel():
            return None  # a VAE that accepts only whole tiles
        grid = latents.float().reshape(latents.shape[1], -1, latents.shape[-2], latents.shape[-1])
        grid = grid[:, 0]
        wanted = torch.nn.functional.adaptive_avg_pool2d(picture, grid.shape[-2:])[0]
        known = torch.cat([grid, torch.ones_like(grid[:1])]).flatten(1).T.cpu().double()
        goal = ((wanted + 1) / 2).flatten(1).T.double()
        square = known.T @ known + _RIDGE * torch.eye(known.shape[1], dtype=torch.float64)
        solved = torch.linalg.solve(square, known.T @ goal)
        return cls(solved.float().to(device), latents.shape[1])

    def picture(self, grid: Any) -> bytes:
        """Return latents C×H×W, as during denoising, as a small JPEG."""
        import cv2  # noqa: PLC0415

        latents = grid.float().to(self.weights.device)
        colours = latents.flatten(1).T @ self.weights[:-1] + self.weights[-1]
        height, width = latents.shape[-2:]
        pixels = (colours.clamp(0, 1) * 255).round().byte().reshape(height, width, 3).cpu().numpy()
        scale = max(1, round(_WIDTH / width))
        size = (width * scale, height * scale)
        return jpeg(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), quality=80)


def latent_grid(latents: Any, channels: int, shape: tuple[int, int, int]) -> Any | None:
    """Return the middle frame of ``latents`` as C×H×W, for any layout of the pipeline.

    ``shape`` is the video's latent frames, rows and columns. A model that works in sections has
    fewer or more frames at a time. None if the layout is unknown.
    """
    if latents.ndim == 3:
        frames, rows, columns = shape
        if latents.shape[1] != frames * rows * columns or latents.shape[2] != channels:
            return None
        latents = latents[0].reshape(frames, rows, columns, channels)
        return latents[frames // 2].permute(2, 0, 1)
    if latents.ndim == 4:
        return latents[0] if latents.shape[1] == channels else None
    if latents.ndim != 5:
        return None
    one = latents[0]
    first, second, third, last = one.shape
    frames, rows, columns = shape
    in_planes = (third, last) == (rows, columns)
    if first >= channels and (second == frames or (in_planes and first == channels)):
        return one[:channels, second // 2]
    if second >= channels and in_planes:
        return one[first // 2, :channels]
    if last >= channels and (second, third) == (rows, columns):
        return one[first // 2, :, :, :channels].permute(2, 0, 1)
    return None


def _spatial_factor(pipe: Any) -> int:
    for name in ("vae_scale_factor_spatial", "vae_spatial_compression_ratio",
                 "vae_spatial_scale_factor", "vae_scale_factor"):  # fmt: skip
        if value := getattr(pipe, name, None):
            return int(value)
    return 0


def _latents(encoded: Any) -> Any:
    if hasattr(encoded, "latent_dist"):
        return encoded.latent_dist.mode()
    return encoded.latent if hasattr(encoded, "latent") else encoded[0]


def _normalised(vae: Any, latents: Any) -> Any:
    """Return the VAE's latents scaled to the transformer's range."""
    import torch  # noqa: PLC0415

    config = vae.config
    kept = {**dict(config), **dict(vae.named_buffers(recurse=False))}
    mean, deviation = kept.get("latents_mean"), kept.get("latents_std")
    factor = getattr(config, "scaling_factor", None) or 1.0
    if mean is None or deviation is None:
        return (latents - (getattr(config, "shift_factor", None) or 0.0)) * factor
    shape = (1, -1, *([1] * (latents.ndim - 2)))
    channels = latents.shape[1]  # Cosmos also has a value per frame: use the first
    mean = torch.as_tensor(mean).to(latents).reshape(channels, -1)[:, 0].reshape(shape)
    deviation = torch.as_tensor(deviation).to(latents).reshape(channels, -1)[:, 0].reshape(shape)
    return (latents - mean) * factor / deviation
