"""Each model family's prompt form and length, as its authors recommend; data in forms.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from workbench.prompts.forms.writing import Form

__all__ = ["FormFamily", "family_for", "form_families", "form_for"]


@dataclass(frozen=True, slots=True)
class FormFamily:
    """A model family's form, and the length of prompts that its authors recommend."""

    form: Form
    names: tuple[str, ...] = ()
    words: tuple[int, int] = (60, 120)
    """Fewest and most words."""
    source: str = ""
    """The source of the recommendation or limit."""


_ANY = FormFamily(Form.PARAGRAPH)


@cache
def form_families() -> tuple[FormFamily, ...]:
    """Return the known families; the first match wins."""
    text = resources.files(__package__).joinpath("forms.toml").read_text("utf-8")
    return tuple(
        FormFamily(
            Form(one["form"]),
            tuple(one["names"]),
            tuple(one.get("words", _ANY.words)),
            one["source"],
        )
        for one in tomllib.loads(text)["family"]
    )


def family_for(model: str) -> FormFamily:
    """Return the family of a model by its hub name, folder or family name."""
    low = model.lower().rstrip("/").rpartition("/")[2]
    return next(
        (
            family
            for family in form_families()
            if any(re.search(rf"(?<![a-z]){re.escape(name)}", low) for name in family.names)
        ),
        _ANY,
    )


def form_for(model: str) -> Form:
    """Return the form for a model by its hub name, folder or family name."""
    return family_for(model).form
