"""Understands one wish of a tuning request: which fields it sets, and to what.

A wish is a few words in lower case, such as "make it night" or "give him a red hat". Each rule
answers with the values it would set, or None when the wish is not its business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from workbench.prompts.composer.wish_cast import (
    by_action,
    by_count,
    by_one_more,
    by_subject,
)
from workbench.prompts.composer.wish_looks import by_clothes, by_colour, by_quality
from workbench.prompts.composer.wish_scene import (
    by_addition,
    by_field,
    by_place,
    by_removal,
    by_replacement,
)
from workbench.prompts.composer.wish_steps import (
    by_comparative,
    by_less,
    by_reveal,
    by_season,
    by_step,
    by_table,
)
from workbench.prompts.composer.wish_terms import (
    Values,
    by_term,
    field_named,
)
from workbench.scene import Scene

__all__ = ["Values", "field_named", "understand_wish"]


def understand_wish(wish: str, scene: Scene) -> Values | None:
    """Return the values that ``wish`` asks for, or None when no rule understands it."""
    for rule in _RULES:
        values = rule(wish, scene)
        if values is not None:
            return values
    return None


_RULES: Final[tuple[Callable[[str, Scene], Values | None], ...]] = (
    by_step,
    by_table,
    by_season,
    by_less,
    by_comparative,
    by_reveal,
    by_field,
    by_one_more,
    by_count,
    by_colour,
    by_removal,
    by_term,
    by_clothes,
    by_replacement,
    by_quality,
    by_action,
    by_place,
    by_subject,
    by_addition,
)
