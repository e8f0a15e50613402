"""Makes the entries of a session from drafts, variations, revisions and edits. Stateless."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from workbench.actions.render_settings import RenderSettings
from workbench.errors import FieldProblem, InvalidRequest
from workbench.prompts.composer.varying import AXES
from workbench.prompts.markers import add_marker, strip_marker
from workbench.prompts.model import Draft, Entry, EntryKind, Revision, Source, Variation
from workbench.scene import LIST_FIELDS, SCENE_FIELDS, Origin, Scene

__all__ = [
    "check_axes",
    "check_fields",
    "closest",
    "edited",
    "entry",
    "given",
    "scene_after_edit",
    "shaped",
    "tuned",
    "varied",
    "with_locks",
]

_SHARE_OF_AN_EDIT: Final = 0.5


def entry(kind: EntryKind, prompt: str, scene: Scene, *, provider: str, **more: Any) -> Entry:
    """Return an entry without a number; ``more`` are its further fields."""
    values: dict[str, Any] = {
        "parent": None,
        "changes": (),
        "created_at": datetime.now(UTC),
        **more,
    }
    return Entry(index=-1, kind=kind, prompt=prompt, scene=scene, provider=provider, **values)


def given(draft: Draft) -> Entry:
    """Return the entry of a prompt from outside."""
    return entry(
        EntryKind.GIVEN,
        draft.prompt,
        draft.scene,
        provider=draft.provider,
        is_fallback=draft.is_fallback,
        message=draft.message,
    )


def edited(draft: Draft, parent: Entry, scene: Scene) -> Entry:
    """Return the entry of a prompt edited by hand; ``scene`` is its new scene."""
    kept = [
        name
        for name in SCENE_FIELDS
        if scene.is_locked(name) and getattr(draft.scene, name) not in ("", (), _of(scene, name))
    ]
    stays = " ".join(f"{name.replace('_', ' ').capitalize()} is locked and stays." for name in kept)
    return entry(
        EntryKind.GIVEN,
        draft.prompt,
        scene,
        provider=draft.provider,
        parent=parent.index,
        changes=parent.scene.changes_to(scene),
        is_fallback=draft.is_fallback,
        message=f"{draft.message} {stays}".strip(),
        settings=parent.settings,
    )


def tuned(
    revision: Revision, parent: Entry | None, request: str, settings: RenderSettings
) -> Entry:
    """Return the entry of a revision that changed the prompt or the render settings."""
    return entry(
        EntryKind.TUNED,
        revision.prompt,
        revision.scene,
        provider=revision.provider,
        parent=parent.index if parent else None,
        changes=revision.changes,
        request=request.strip(),
        is_fallback=revision.is_fallback,
        message=revision.message,
        actions=revision.actions,
        settings=settings,
    )


def varied(variation: Variation, parent: Entry) -> Entry:
    """Return the entry of a variation; its text is marked if the provider did not write it."""
    is_marked = strip_marker(variation.prompt) != variation.prompt
    return entry(
        EntryKind.VARIATION,
        variation.prompt if is_marked else add_marker(variation.prompt, variation.source),
        variation.scene,
        provider=variation.provider,
        parent=parent.index,
        changes=variation.changes,
        source=variation.source,
        request=variation.name,
        is_fallback=variation.source is not Source.PROVIDER,
        message=variation.message,
        settings=parent.settings,
    )


def scene_after_edit(parent: Scene, before: Scene, after: Scene, found: Scene) -> Scene:
    """Return ``parent`` with the changes of an edit by hand; all else stays, locks included.

    ``before`` and ``after`` are one reader's scenes of the text before and after the edit, and
    ``found`` is the provider's scene after it. Only fields in which the readings differ change, so
    values that the text never states, such as a chosen lens, are kept.
    """
    values: dict[str, Any] = {}
    for name in SCENE_FIELDS:
        was, is_now = _of(before, name), _of(after, name)
        if was == is_now:
            continue
        if name == "action" and (doings := _doings_after_edit(parent.action, was, is_now)):
            if doings != parent.action:
                values[name] = doings
            continue
        if name in LIST_FIELDS:
            stay = tuple(item for item in _of(parent, name) if item not in was or item in is_now)
            values[name] = (*stay, *(i for i in is_now if i not in was and i not in stay))
        else:
            values[name] = _of(found, name)
    return parent.edit(values, origin=Origin.EDITED)


def _doings_after_edit(held: str, was: str, is_now: str) -> str:
    """Return the action ``held`` by a scene after an edit of its text; empty if unknown.

    A prompt describes more than its scene holds: "a dog runs. Its ears flap." A reworded
    description is no new action; an added one is.
    """
    kept, before, after = (text.split(", ") for text in (held, was, is_now))
    if not held or not set(kept) <= set(before):
        return ""
    removed = [doing for doing in before if doing not in after]
    added = [doing for doing in after if doing not in before]
    described = sum(doing not in kept for doing in removed)
    stay = [doing for doing in kept if doing not in removed]
    return ", ".join([*stay, *added[described:]])


def closest(text: str, entries: Sequence[Entry]) -> Entry | None:
    """Return the entry that ``text`` is an edit of: it shares the most words, at least half.

    The first of equals wins.
    """
    words = Counter(text.lower().split())

    def share(entry: Entry) -> float:
        theirs = Counter(entry.prompt.lower().split())
        return 2 * (words & theirs).total() / (words.total() + theirs.total())

    best = max(entries, key=share, default=None)
    return best if best is not None and share(best) >= _SHARE_OF_AN_EDIT else None


def with_locks(draft: Draft, held: Mapping[str, Any]) -> Draft:
    """Return ``draft`` with the locked values ``held`` in its scene; its text is unchanged."""
    scene = draft.scene.edit(held, origin=Origin.LOCKED, force=True)
    return Draft(
        draft.prompt, scene, draft.provider, draft.is_fallback, draft.message, draft.exchanges
    )


def check_axes(axes: Sequence[str]) -> None:
    """Raise ``InvalidRequest`` unless each is an axis of variation or a scene field."""
    unknown = [axis for axis in axes if axis not in AXES and axis not in SCENE_FIELDS]
    if unknown:
        problem = f"is neither an axis ({', '.join(AXES)}) nor a scene field"
        raise InvalidRequest(
            f"{unknown[0]!r} {problem}.", tuple(FieldProblem(f"axes.{a}", problem) for a in unknown)
        )


def check_fields(name: str, fields: Sequence[str]) -> None:
    """Raise ``InvalidRequest`` unless each is a scene field."""
    unknown = [field for field in fields if field not in SCENE_FIELDS]
    if unknown:
        problems = tuple(FieldProblem(f"{name}.{f}", "is not a scene field") for f in unknown)
        raise InvalidRequest(f"A scene has no field {unknown[0]!r}.", problems)


def shaped(values: Mapping[str, str | Sequence[str]]) -> dict[str, str | tuple[str, ...]]:
    """Return ``values`` in the scene's types; raises ``InvalidRequest`` for a list as a text."""
    made: dict[str, str | tuple[str, ...]] = {}
    for name, value in values.items():
        if name in LIST_FIELDS:
            made[name] = (value,) if isinstance(value, str) else tuple(value)
        elif isinstance(value, str):
            made[name] = value
        else:
            raise InvalidRequest(
                f"{name} takes one text.", (FieldProblem(f"values.{name}", "must be a text"),)
            )
    return made


def _of(scene: Scene, name: str) -> Any:
    return getattr(scene, name)
