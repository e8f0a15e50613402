"""Open country: meadow, and what is like it."""

from __future__ import annotations

from workbench.engines.animatic.backdrops import trees
from workbench.engines.animatic.backdrops.ground import hills, mountains, strip
from workbench.engines.animatic.backdrops.sky import sky_layers
from workbench.engines.animatic.colour import Colour, mix
from workbench.engines.animatic.world import Layer, World

__all__ = ["meadow"]

_GRASS: Colour = (0.42, 0.60, 0.26)
_LEAF: Colour = (0.25, 0.46, 0.22)


def covered(world: World, colour: Colour, share: float = 1.0) -> Colour:
    """Return ``colour`` as far under snow, or turned by autumn or dust, as the air says."""
    autumn = mix(colour, (0.66, 0.50, 0.22), 0.5 * world.air.autumn)
    dusty = mix(autumn, (0.78, 0.62, 0.42), 0.6 * world.air.dust)
    return mix(dusty, (0.94, 0.96, 1.0), world.air.snow * share)


def meadow(world: World) -> list[Layer]:
    """Return rolling grassland with trees, and flowers in front."""
    green, leaf = covered(world, _GRASS), _LEAF

    def wood(canvas: object, edge: object) -> None:
        del canvas, edge

    far = world.canvas(0.34, top=world.ground_at(0.34) - 0.16)
    for x in trees.scatter(world, far.x0, far.x1, 0.11):
        trees.broadleaf(
            world,
            far,
            (x, world.ground_at(0.34) + 0.01),
            float(world.random.uniform(0.07, 0.12)),
            0.34,
            leaf,
        )
    return [
        *sky_layers(world),
        mountains(world, 0.07, (0.36, 0.45, 0.60), height=0.15, snow=0.5),
        hills(world, 0.16, covered(world, (0.36, 0.52, 0.36)), height=0.035),
        world.layer(far, 0.34),
        strip(world, 0.34, mix(green, (0.9, 0.88, 0.5), 0.25), green, wave=0.008, texture=0.18),
        strip(world, 0.62, green, mix(green, (0.2, 0.34, 0.14), 0.4), wave=0.006, texture=0.22),
        trees.grass(world, 1.45, mix(green, (0.16, 0.30, 0.12), 0.5), tall=0.07, every=0.014),
    ]
