"""Dynamic prompts, ``a {red|blue} kite {2$$ and $$here|there|far}``: one text, many prompts.

The syntax is that of the ``dynamicprompts`` library, which expands it; wildcards (``__colour__``)
are read from text files.
"""

from __future__ import annotations

import re
import warnings
from itertools import islice
from pathlib import Path
from typing import Final

from workbench.errors import InvalidRequest, Unavailable

__all__ = ["expand", "is_dynamic"]

_MARKS: Final = re.compile(r"\{[^{}]*[|$][^{}]*\}|__[\w\-/*.]+?__|\$\{")
_WILDCARD: Final = re.compile(r"__([\w\-/*.]+?)__")


def is_dynamic(text: str) -> bool:
    """Tell whether ``text`` uses the syntax of dynamic prompts."""
    return bool(_MARKS.search(text))


def expand(
    text: str, *, limit: int = 64, seed: int | None = None, wildcards: Path | None = None
) -> list[str]:
    """Return the distinct prompts that ``text`` expands to, at most ``limit``.

    All combinations in order, or with ``seed`` a random choice of ``limit`` of them. ``wildcards``
    is a folder of ``<name>.txt`` files, one value per line. Raises ``InvalidRequest`` for a syntax
    error, a wildcard without a file, or, without ``seed``, more than ``limit`` prompts;
    ``Unavailable`` if the library is not installed.
    """
    if not is_dynamic(text):
        return [text]
    _check_wildcards(text, wildcards)
    try:
        made = _generated(text, limit=limit, seed=seed, wildcards=wildcards)
    except ImportError as error:
        raise Unavailable(
            "Dynamic prompts need: pip install 'world-model-workbench[research]'."
        ) from error
    except Exception as error:  # the library's parser raises errors of several other libraries
        raise InvalidRequest(f"{text!r} is not a valid dynamic prompt: {error}.") from error
    prompts = list(dict.fromkeys(" ".join(prompt.split()) for prompt in made))
    if seed is None and len(prompts) > limit:
        raise InvalidRequest(
            f"{text!r} expands to more than {limit} prompts; give a seed to draw {limit} of them."
        )
    return prompts[:limit]


def _generated(text: str, *, limit: int, seed: int | None, wildcards: Path | None) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from the library's use of pyparsing
        from dynamicprompts.generators import (  # noqa: PLC0415  optional
            CombinatorialPromptGenerator,
            RandomPromptGenerator,
        )
        from dynamicprompts.wildcards import WildcardManager  # noqa: PLC0415

        manager = WildcardManager(wildcards)
        if seed is None:
            every = CombinatorialPromptGenerator(manager).generate(text, limit + 1)
            return list(islice(every, limit + 1))
        # the same prompt may be drawn more than once
        return list(RandomPromptGenerator(manager, seed=seed).generate(text, limit * 8))


def _check_wildcards(text: str, wildcards: Path | None) -> None:
    for name in _WILDCARD.findall(text):
        if wildcards is None:
            raise InvalidRequest(f"The wildcard __{name}__ needs a folder of wildcard files.")
        if not any(wildcards.glob(f"{name}.*")):
            raise InvalidRequest(f"There is no file for the wildcard __{name}__ in {wildcards}.")
