"""What the composer writes: the user's words kept, nothing contradicted, good English, variety."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict

import pytest

from tests.prompts.labels import MEASURING, measuring_prompts, own_labels
from tests.prompts.sense import contradictions, lost_words
from workbench.lexicon.words import article, sentences
from workbench.prompts.composer.composer import enhance
from workbench.prompts.model import Draft

needs_lists = pytest.mark.skipif(
    not MEASURING.is_dir(), reason="the prompt lists for measuring are not beside this checkout"
)


@pytest.fixture(scope="module")
def written() -> list[tuple[str, Draft]]:
    """Return the project's own prompts, enhanced."""
    return [(label.prompt, enhance(label.prompt)) for label in own_labels()]


@pytest.fixture(scope="module")
def measured() -> list[tuple[str, Draft]]:
    """Return every prompt of the measuring lists, enhanced."""
    return [(prompt, enhance(prompt)) for prompt in measuring_prompts()]


def _check_meaning(pairs: list[tuple[str, Draft]]) -> None:
    lost = {p: words for p, d in pairs if (words := lost_words(p, d.prompt))}
    assert not lost
    against = {p: found for p, d in pairs if (found := contradictions(p, d))}
    assert not against


def _check_prose(pairs: list[tuple[str, Draft]]) -> None:
    for prompt, draft in pairs:
        text = draft.prompt
        assert 60 <= len(text.split()) <= 120, prompt
        assert not re.search(r"\b(\w+) \1\b", text, re.IGNORECASE), text
        assert not re.search(r"\s[,.]|,,|\.\.|[{}\[\]|]|,\.|\(\)", text), text
        assert text[0].isupper() or not text[0].isalpha(), text
        assert text.endswith("."), text
        for sentence in sentences(text):
            assert sentence[0].isupper() or not sentence[0].isascii(), sentence
        for found in re.finditer(r"\b(an?) (\w+)", text, re.IGNORECASE):
            assert article(found[2]) == found[1].lower(), found[0]


def test_own_prompts_keep_their_meaning(written: list[tuple[str, Draft]]) -> None:
    _check_meaning(written)


def test_own_prompts_become_good_english(written: list[tuple[str, Draft]]) -> None:
    _check_prose(written)


@needs_lists
def test_all_real_prompts_keep_their_meaning(measured: list[tuple[str, Draft]]) -> None:
    assert len(measured) == 872
    _check_meaning(measured)


@needs_lists
def test_all_real_prompts_become_good_english(measured: list[tuple[str, Draft]]) -> None:
    _check_prose(measured)


@needs_lists
def test_no_sentence_stands_in_more_than_two_percent(measured: list[tuple[str, Draft]]) -> None:
    counts = Counter(s for _, draft in measured for s in set(sentences(draft.prompt)))
    sentence, count = counts.most_common(1)[0]
    assert count <= 0.02 * len(measured), sentence


@needs_lists
def test_no_two_prompts_share_half_of_their_sentences(measured: list[tuple[str, Draft]]) -> None:
    said = [set(sentences(draft.prompt)) for _, draft in measured]
    where = defaultdict(list)
    for number, own in enumerate(said):
        for sentence in own:
            where[sentence].append(number)
    shared = Counter(
        pair for numbers in where.values() for pair in itertools.combinations(numbers, 2)
    )
    alike = [
        (measured[a][0], measured[b][0])
        for (a, b), count in shared.items()
        if 2 * count >= min(len(said[a]), len(said[b]))
    ]
    assert not alike
