"""Morphology: what is read in place of the library's tables is what the library says."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import lemminflect
import pytest

from workbench.lexicon.morphology import inflect, lemma, lemmas

TABLES = Path(lemminflect.__file__).parent / "resources"
TAGS = ("NNS", "VBZ", "VBG", "VBD", "VBN", "JJR", "JJS")


def _words(table: str) -> list[str]:
    lines = gzip.decompress((TABLES / table).read_bytes()).decode().splitlines()
    return sorted({line.partition(",")[0] for line in lines})


def test_every_word_has_the_librarys_lemmas() -> None:
    words = [w for w in _words("lemma_lu.csv.gz")[::11] if w.islower()]
    corrected = ["all", "another", "mine", "whose"]
    assert len(words) > 5_000
    for word in (*words, *corrected, "blorple", "zzz", "a"):
        assert lemmas(word) == lemminflect.getAllLemmas(word), word


def test_every_lemma_has_the_librarys_inflections() -> None:
    words = [w for w in _words("infl_lu.csv.gz")[::29] if w.islower()]
    assert len(words) > 1_000
    for word in (*words, "abdomen", "can", "dare", "blorple", "Paris"):
        for tag in TAGS:
            assert inflect(word, tag) == (lemminflect.getInflection(word, tag) or (word,))[0], word


def test_only_a_word_that_no_dictionary_has_is_guessed_at() -> None:
    assert lemma("pasta", "VERB") == "pasta"
    assert lemma("mountains", "VERB") == "mountains"
    assert lemma("moonwalking", "VERB") == "moonwalk"
    assert lemma("blorples", "NOUN") == "blorple"


@pytest.mark.parametrize("rough", ["dog running", "a red car at night in the rain"])
def test_a_prompt_of_known_words_brings_no_rules_along(rough: str) -> None:
    told = (
        "import sys; from workbench.prompts.composer.composer import enhance; "
        f"enhance({rough!r}); print('lemminflect' in sys.modules or 'numpy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
