"""The tagger tells verbs from nouns where a dictionary has both."""

from __future__ import annotations

import pytest

from workbench.lexicon.tagging import tagged, verb_classes


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("deer jumps out", "deer/N jumps/V out/R"),
        ("kid bails twice then lands it", "kid/N bails/V twice/R then/R lands/V it/O"),
        ("waves crash, gulls circle", "waves/N crash/V ,/. gulls/N circle/V"),
        ("a diver stops, leans on a rock", "a/D diver/N stops/V ,/. leans/V on/I a/D rock/N"),
        ("the glowing steel cools", "the/D glowing/A steel/N cools/V"),
        ("hands opening a letter", "hands/N opening/G a/D letter/N"),
        ("old fisherman mends nets", "old/A fisherman/N mends/V nets/N"),
        ("she's not crying", "she/O 's/X not/E crying/G"),
        ("a robot tries to fold a shirt", "a/D robot/N tries/V to/T fold/V a/D shirt/N"),
    ],
)
def test_words_are_tagged_by_what_they_do_in_their_sentence(text: str, tags: str) -> None:
    assert " ".join(f"{t.text}/{t.tag}" for t in tagged(text)) == tags


def test_tokens_know_their_place_and_how_sure_their_tag_is() -> None:
    text = 'a sign says "OPEN", twice'
    tokens = tagged(text)
    assert [text[t.start : t.end] for t in tokens] == [t.text for t in tokens]
    assert all(0.0 <= t.sureness <= 1.0 for t in tokens)
    assert tokens[3].tag == "Q"


def test_a_verb_has_the_classes_of_its_lemma() -> None:
    assert "travel" in verb_classes("galloping")
    assert "handle" in verb_classes("picked")
    assert verb_classes("theory") == frozenset()
