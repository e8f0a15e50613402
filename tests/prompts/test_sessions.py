"""Sessions: durable trees of prompts, with undo, locks, paging, export and import."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.errors import InvalidRequest, NotFound
from workbench.prompts import Sessions
from workbench.prompts.model import EntryKind
from workbench.scene import SCENE_FIELDS, Origin
from workbench.settings import Settings

UNKNOWN = "s_00000000000000000000"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(outputs=tmp_path / "outputs")


@pytest.fixture
def sessions(settings: Settings) -> Iterator[Sessions]:
    opened = Sessions(settings)
    yield opened
    opened.close()


def _begin(sessions: Sessions, rough: str = "dog running") -> str:
    return asyncio.run(sessions.enhance(rough))[0]


def _tune(sessions: Sessions, session_id: str, request: str) -> str:
    return asyncio.run(sessions.update(session_id, request))[0].prompt


def test_a_session_outlives_the_process_that_began_it(
    settings: Settings, sessions: Sessions
) -> None:
    session_id = _begin(sessions)
    before = sessions.session(session_id)
    again = Sessions(settings)
    assert again.session(session_id) == before
    again.close()


def test_an_unknown_session_starts_one_in_enhance_alone(sessions: Sessions) -> None:
    started, _ = asyncio.run(sessions.enhance("a cat", UNKNOWN))
    assert started != UNKNOWN
    with pytest.raises(NotFound):
        sessions.history(UNKNOWN)
    with pytest.raises(NotFound):
        asyncio.run(sessions.initialize("a cat", UNKNOWN))
    with pytest.raises(NotFound):
        asyncio.run(sessions.update("../../etc/passwd", "make it night"))


def test_variations_begin_with_the_selected_and_are_remembered(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    entries = asyncio.run(sessions.variations(session_id, [0], 8))
    assert [e.index for e in entries] == list(range(8))
    assert len({e.prompt for e in entries}) == 8
    assert {e.kind for e in entries[1:]} == {EntryKind.VARIATION}
    assert {e.parent for e in entries[1:]} == {0}
    more = asyncio.run(sessions.variations(session_id, [0, 3], 6))
    assert [e.index for e in more[:2]] == [0, 3]
    assert {e.parent for e in more[2:]} == {0, 3}
    assert len({e.prompt for e in (*entries, *more[2:])}) == 12


@pytest.mark.parametrize("selected", [[99], [-1], []])
def test_an_index_that_does_not_exist_is_refused_by_name(
    sessions: Sessions, selected: list[int]
) -> None:
    session_id = _begin(sessions)
    with pytest.raises(InvalidRequest) as refused:
        asyncio.run(sessions.variations(session_id, selected))
    assert refused.value.problems[0].field == "selected_indices"


def test_undo_redo_and_start_over_walk_the_tree(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    first = sessions.session(session_id).entries[0].prompt
    night = _tune(sessions, session_id, "make it night")
    rain = _tune(sessions, session_id, "add rain")
    assert _tune(sessions, session_id, "undo") == night
    assert _tune(sessions, session_id, "undo that") == first
    assert _tune(sessions, session_id, "redo") == night
    assert _tune(sessions, session_id, "redo") == rain
    assert _tune(sessions, session_id, "start over") == first
    latest = sessions.session(session_id).latest
    assert latest is not None
    assert latest.prompt == first


def test_undo_goes_on_from_where_an_earlier_undo_led(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    first = sessions.session(session_id).entries[0].prompt
    _tune(sessions, session_id, "make it night")
    _tune(sessions, session_id, "undo")
    _tune(sessions, session_id, "add rain")
    assert _tune(sessions, session_id, "undo") == first
    _, entry = asyncio.run(sessions.update(session_id, "undo"))
    assert entry is None


def test_undo_at_the_start_changes_nothing_and_adds_no_entry(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    revision, entry = asyncio.run(sessions.update(session_id, "undo"))
    assert entry is None
    assert revision.understood
    assert len(sessions.history(session_id)) == 1


def test_a_new_change_after_undo_forgets_what_could_be_redone(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    _tune(sessions, session_id, "make it night")
    _tune(sessions, session_id, "undo")
    rain = _tune(sessions, session_id, "add rain")
    assert _tune(sessions, session_id, "redo") == rain


def test_tuning_the_text_on_screen_tunes_that_text(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    own = "A grey heron stands in a quiet pond at dawn."
    revision, entry = asyncio.run(sessions.update(session_id, "add fog", own))
    assert entry is not None
    assert "heron" in revision.prompt
    assert "fog" in revision.prompt.lower()
    parent = sessions.history(session_id)[entry.parent or 0]
    assert (parent.kind, parent.prompt) == (EntryKind.GIVEN, own)


def test_a_prompt_edited_by_hand_knows_what_it_was_edited_from(sessions: Sessions) -> None:
    session_id = _begin(sessions, "a dog running on a beach at dawn")
    first = sessions.session(session_id).entries[0]
    text = first.prompt.replace("dog", "cat")
    assert text != first.prompt
    same, entry = asyncio.run(sessions.initialize(text, session_id, parent=0))
    assert (same, entry.parent, entry.kind, entry.prompt) == (session_id, 0, EntryKind.GIVEN, text)
    assert "cat" in entry.scene.subject
    assert {c.field for c in entry.changes} <= {"subject", "subject_details", "details"}
    kept = {"action", "setting", "time_of_day", "lens", "mood", "pace", "color_palette"}
    assert all(getattr(entry.scene, f) == getattr(first.scene, f) for f in kept)
    assert entry.scene.origin("subject") is Origin.EDITED
    assert entry.scene.origin("lens") is first.scene.origin("lens")
    assert _tune(sessions, session_id, "undo") == first.prompt
    assert _tune(sessions, session_id, "redo") == text


def test_an_edit_by_hand_leaves_locks_and_says_so(sessions: Sessions) -> None:
    session_id = _begin(sessions, "a dog running in the fog")
    locked = sessions.set_scene(session_id, 0, {}, lock=["weather"])
    text = locked.prompt.replace("fog", "rain").replace("Fog", "Rain")
    _, entry = asyncio.run(sessions.initialize(text, session_id, parent=locked.index))
    assert entry.scene.weather == "fog"
    assert entry.scene.is_locked("weather")
    assert "Weather is locked" in entry.message


def test_a_parent_must_be_of_the_session(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    for asked in ({"session_id": session_id, "parent": 7}, {"parent": 0}):
        with pytest.raises(InvalidRequest) as refused:
            asyncio.run(sessions.initialize("a cat", **asked))
        assert refused.value.problems[0].field == "parent"


def test_a_wish_about_an_edited_text_keeps_the_edit_in_the_tree(sessions: Sessions) -> None:
    session_id = _begin(sessions, "a dog running on a beach")
    first = sessions.session(session_id).entries[0].prompt
    text = first.replace("dog", "cat")
    nothing, none = asyncio.run(sessions.update(session_id, "flurb the wug", text))
    assert (nothing.understood, none) == (False, None)
    assert len(sessions.history(session_id)) == 1
    _, tuned = asyncio.run(sessions.update(session_id, "make it night", text))
    assert tuned is not None
    entries = sessions.history(session_id)
    assert [(e.kind, e.parent) for e in entries[1:]] == [
        (EntryKind.GIVEN, 0),
        (EntryKind.TUNED, 1),
    ]
    asyncio.run(sessions.update(session_id, "undo", entries[1].prompt.replace("cat", "fox")))
    assert sessions.history(session_id)[-1].prompt == entries[1].prompt


def test_a_prompt_to_render_is_found_or_takes_its_place_in_the_tree(sessions: Sessions) -> None:
    session_id = _begin(sessions, "a dog running on a beach")
    first = sessions.session(session_id).entries[0]
    assert asyncio.run(sessions.place(session_id, first.prompt)) == first
    edit = asyncio.run(sessions.place(session_id, first.prompt.replace("dog", "cat")))
    assert sessions.parent_of(session_id, edit) == first
    other = asyncio.run(sessions.place(session_id, "Rockets over a frozen sea."))
    assert sessions.parent_of(session_id, other) is None
    assert len(sessions.history(session_id)) == 3


def test_locks_set_by_hand_hold_against_every_later_step(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    sessions.set_scene(session_id, 0, {"weather": "fog"}, lock=["weather"])
    asyncio.run(sessions.update(session_id, "make it sunny"))
    entries = asyncio.run(sessions.variations(session_id, [1], 8))
    assert {e.scene.weather for e in entries} == {"fog"}
    _, again = asyncio.run(sessions.enhance("a cat in the sunshine", session_id))
    assert again.scene.weather == "fog"
    assert "fog" in again.prompt.lower()
    freed = sessions.set_scene(session_id, again.index, {}, unlock=["weather"])
    revision, _ = asyncio.run(sessions.update(session_id, "make it rain", freed.prompt))
    assert revision.scene.weather == "rain"


def test_a_field_or_value_that_does_not_fit_is_refused(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    with pytest.raises(InvalidRequest):
        sessions.set_scene(session_id, 0, {"colour_of_the_wind": "blue"})
    with pytest.raises(InvalidRequest):
        sessions.set_scene(session_id, 0, {"weather": ["rain", "snow"]})
    with pytest.raises(InvalidRequest):
        sessions.set_scene(session_id, 7, {"weather": "rain"})


def test_jobs_are_linked_once_and_in_order(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    sessions.link_jobs(session_id, 0, ["j_a", "j_b"])
    sessions.link_jobs(session_id, 0, ["j_b", "j_c"])
    assert sessions.history(session_id)[0].job_ids == ("j_a", "j_b", "j_c")


def test_history_is_paged_by_index(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    asyncio.run(sessions.variations(session_id, [0], 8))
    assert [e.index for e in sessions.history(session_id, limit=3)] == [0, 1, 2]
    assert [e.index for e in sessions.history(session_id, limit=3, after=5)] == [6, 7]


def test_an_exported_session_comes_back_whole_under_a_new_id(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    asyncio.run(sessions.variations(session_id, [0], 4))
    _tune(sessions, session_id, "make it night")
    document = json.loads(json.dumps(sessions.export(session_id)))
    copied = sessions.import_(document)
    assert copied != session_id
    assert sessions.session(copied).entries == sessions.session(session_id).entries
    assert _tune(sessions, copied, "undo") == sessions.session(session_id).entries[0].prompt


@pytest.mark.parametrize(
    "damage",
    [
        {"format": "something else"},
        {"entries": [{"index": 5}]},
        {"entries": "none"},
        {"version": 99},
    ],
)
def test_a_document_that_is_no_session_is_refused(
    sessions: Sessions, damage: dict[str, object]
) -> None:
    document = {**sessions.export(_begin(sessions)), **damage}
    with pytest.raises(InvalidRequest):
        sessions.import_(document)


def test_the_list_of_sessions_shows_the_newest_first(sessions: Sessions) -> None:
    older, newer = _begin(sessions, "a cat"), _begin(sessions, "a dog")
    assert [s.session_id for s in sessions.sessions()] == [newer, older]
    assert sessions.sessions(limit=1)[0].title == "a dog"


async def filled_session(sessions: Sessions, count: int) -> str:
    """Return a session of ``count`` entries, imported from a document."""
    session_id, _ = await sessions.enhance("dog running")
    document = sessions.export(session_id)
    first = document["entries"][0]
    document["entries"] = [
        {**first, "index": i, "parent": i - 1 if i else None, "prompt": f"{first['prompt']} {i}"}
        for i in range(count)
    ]
    return sessions.import_(document)


def test_ten_thousand_entries_are_read_back_in_pages(sessions: Sessions) -> None:
    session_id = asyncio.run(filled_session(sessions, 10_000))
    seen: list[int] = []
    while page := sessions.history(session_id, limit=1_000, after=seen[-1] if seen else None):
        seen += [entry.index for entry in page]
    assert seen == list(range(10_000))


def test_two_processes_worth_of_sessions_number_their_entries_apart(
    settings: Settings, sessions: Sessions
) -> None:
    other = Sessions(settings)
    session_id = _begin(sessions)

    async def both() -> None:
        for request in ("make it night", "add rain", "pan left", "make it sad"):
            await sessions.update(session_id, request)
            await other.update(session_id, request.replace("rain", "fog"))

    asyncio.run(both())
    assert [e.index for e in sessions.history(session_id)] == list(
        range(len(sessions.history(session_id)))
    )
    other.close()


def test_threads_may_share_sessions(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: sessions.link_jobs(session_id, 0, [f"j_{n}"]), range(40)))
    assert len(sessions.history(session_id)[0].job_ids) == 40


def _locks_of(sessions: Sessions, session_id: str) -> set[str]:
    current = sessions.current(session_id)
    assert current is not None
    return {name for name in SCENE_FIELDS if current.scene.is_locked(name)}


def test_undo_goes_past_a_lock_and_leaves_it_set(sessions: Sessions) -> None:
    session_id = _begin(sessions, "a dog running at dawn")
    _tune(sessions, session_id, "make it sad")
    _tune(sessions, session_id, "make it night")
    sessions.set_scene(session_id, 2, {}, lock=["mood"])
    undone, _ = asyncio.run(sessions.update(session_id, "undo"))
    assert (undone.scene.time_of_day, undone.scene.mood) == ("dawn", "melancholic")
    assert _locks_of(sessions, session_id) == {"mood"}
    again, _ = asyncio.run(sessions.update(session_id, "redo"))
    assert (again.scene.time_of_day, again.scene.mood) == ("night", "melancholic")
    assert _locks_of(sessions, session_id) == {"mood"}


def test_undo_of_what_is_locked_says_so_and_changes_nothing(sessions: Sessions) -> None:
    session_id = _begin(sessions, "a dog running at dawn")
    sad = _tune(sessions, session_id, "make it sad")
    sessions.set_scene(session_id, 1, {}, lock=["mood"])
    revision, entry = asyncio.run(sessions.update(session_id, "undo"))
    assert (entry, revision.prompt) == (None, sad)
    assert revision.message == "Locked, so left unchanged: mood."


def test_a_step_that_is_locked_in_part_is_undone_in_part(sessions: Sessions) -> None:
    session_id = _begin(sessions, "a dog running at dawn")
    _tune(sessions, session_id, "make it sad and in the rain")
    sessions.set_scene(session_id, 1, {}, lock=["mood"])
    revision, entry = asyncio.run(sessions.update(session_id, "undo"))
    assert entry is not None
    assert (revision.scene.mood, revision.scene.weather) == ("melancholic", "")
    assert "melanchol" in revision.prompt
    assert not re.search(r"\brain", revision.prompt.lower())
    assert revision.message == "Undone. Locked, so left unchanged: mood."


def test_starting_over_leaves_locks_set(sessions: Sessions) -> None:
    session_id = _begin(sessions, "a dog running in the rain")
    sessions.set_scene(session_id, 0, {"weather": "fog"}, lock=["weather", "style"])
    _tune(sessions, session_id, "make it night")
    revision, _ = asyncio.run(sessions.update(session_id, "start over"))
    assert revision.scene.weather == "fog"
    assert "fog" in revision.prompt.lower()
    assert _locks_of(sessions, session_id) == {"weather", "style"}


def test_what_was_freed_since_is_free_after_undo(sessions: Sessions) -> None:
    session_id = _begin(sessions, "a dog running in the rain")
    locked = sessions.set_scene(session_id, 0, {}, lock=["weather"])
    _tune(sessions, session_id, "make it night")
    sessions.set_scene(session_id, locked.index + 1, {}, unlock=["weather"])
    assert _tune(sessions, session_id, "undo") == sessions.history(session_id)[0].prompt
    assert _locks_of(sessions, session_id) == set()


def test_a_lock_alone_is_no_step_to_undo(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    sessions.set_scene(session_id, 0, {}, lock=["weather"])
    revision, entry = asyncio.run(sessions.update(session_id, "undo"))
    assert (entry, revision.message) == (None, "There is nothing to undo.")


def test_undo_and_redo_go_on_in_an_imported_session(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    first = sessions.history(session_id)[0].prompt
    night = _tune(sessions, session_id, "make it night")
    rain = _tune(sessions, session_id, "add rain")
    _tune(sessions, session_id, "undo")
    document = json.loads(json.dumps(sessions.export(session_id)))
    copied = sessions.import_(document)
    assert sessions.export(copied)["entries"] == document["entries"]
    assert _tune(sessions, sessions.import_(document), "undo") == first
    assert _tune(sessions, copied, "redo") == rain
    assert _tune(sessions, copied, "undo") == night
    assert _tune(sessions, copied, "undo") == first


def test_an_axis_that_does_not_exist_is_refused_by_name(sessions: Sessions) -> None:
    session_id = _begin(sessions)
    with pytest.raises(InvalidRequest) as refused:
        asyncio.run(sessions.variations(session_id, [0], axes=["colour_of_the_wind"]))
    assert refused.value.problems[0].field == "axes.colour_of_the_wind"
    made = asyncio.run(sessions.variations(session_id, [0], 4, axes=["camera", "mood"]))
    assert len(made) == 4


def test_the_cast_and_the_beats_are_kept_with_a_session(sessions: Sessions) -> None:
    session_id = _begin(sessions, "a girl lifts a blue crate, then a goat kicks it over")
    made = sessions.session(session_id).entries[-1].scene
    assert [entity.noun for entity in made.cast] == ["girl", "crate", "goat"]
    assert [beat.actor for beat in made.beats] == ["e1", "e3"]
