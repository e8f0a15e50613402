"""Whatever text comes in, the composer answers: no exception, no loss, the same answer twice."""

from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.prompts.labels import own_labels
from tests.prompts.requests import corpus
from workbench.prompts.composer.composer import enhance, scene_of
from workbench.prompts.composer.varying import vary
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.revising import revise

_WORDS = sorted({w for label in own_labels() for w in label.prompt.split()})
_SENTENCES = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=14).map(" ".join)
_ANY_TEXT = st.text(min_size=1, max_size=120).filter(lambda t: bool(t.strip()))
_REQUESTS = st.one_of(
    st.sampled_from([one.request for one in corpus()]),
    st.lists(st.sampled_from([one.request for one in corpus()]), min_size=2, max_size=3).map(
        " and ".join
    ),
    _ANY_TEXT,
)
_QUIETLY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


@_QUIETLY
@given(st.one_of(_SENTENCES, _ANY_TEXT))
def test_any_text_can_be_enhanced_and_twice_alike(text: str) -> None:
    first = enhance(text)
    assert first == enhance(text)
    assert first.prompt


@_QUIETLY
@given(_SENTENCES)
def test_any_words_can_be_read_and_stay_within_the_scene(text: str) -> None:
    scene = scene_of(text)
    assert scene == scene_of(text)
    assert len(scene.subject) <= len(text) + 4


@_QUIETLY
@example("16mm", "make everything blue and make everythin blue")
@given(_SENTENCES, _REQUESTS)
def test_any_request_can_be_made_of_any_prompt(text: str, request: str) -> None:
    draft = enhance(text)
    revision = revise(request, Context(draft.scene, draft.prompt))
    assert bool(revision.changes) == (revision.scene != draft.scene)
    assert revision.changes == draft.scene.changes_to(revision.scene)
    if not revision.understood:
        assert revision.prompt == draft.prompt
    assert "  " not in revision.prompt


@_QUIETLY
@given(_SENTENCES, st.integers(1, 5))
def test_any_prompt_can_be_varied(text: str, count: int) -> None:
    draft = enhance(text)
    made = vary([(draft.prompt, draft.scene)], count)
    assert len({v.prompt for v in made} | {draft.prompt}) == count + 1
