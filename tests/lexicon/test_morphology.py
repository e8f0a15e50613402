"""Morphology: the dictionary agrees with the library; only unknown words are guessed."""

from __future__ import annotations

import gzip
import subprocess
import sys

import lemminflect
import pytest

from workbench.lexicon.morphology import DICTIONARY, inflect, lemma, lemmas

TAGS = ("NNS", "VBZ", "VBG", "VBD", "VBN", "JJR", "JJS")


def _words() -> list[str]:
    lines = gzip.decompress(DICTIONARY.read_bytes()).decode().splitlines()
    return [line.partition("\t")[0] for line in lines]


def test_every_word_has_the_librarys_lemmas() -> None:
    words = _words()
    assert len(words) > 50_000
    for word in (*words[::11], "blorple", "zzz", "a"):
        assert lemmas(word) == lemminflect.getAllLemmas(word), word


def test_every_lemma_has_the_librarys_inflections() -> None:
    bases = [word for word in _words()[::29] if word in lemmas(word).get("VERB", ())]
    assert len(bases) > 100
    for word in (*bases, "abdomen", "blorple", "Paris"):
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
