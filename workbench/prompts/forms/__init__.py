"""Prompts in the form and length that each model family was trained on."""

from __future__ import annotations

from workbench.prompts.forms.cosmos import Shape
from workbench.prompts.forms.families import family_for, form_for
from workbench.prompts.forms.writing import Form, text_for_model

__all__ = ["Form", "Shape", "family_for", "form_for", "text_for_model"]
