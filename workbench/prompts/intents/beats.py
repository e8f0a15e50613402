"""What an entity of the cast does: adds a beat, or changes one that the new action excludes."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.actions.model import AddBeat, ChangeBeat
from workbench.prompts.intents.candidates import Candidate
from workbench.prompts.intents.clauses import Event
from workbench.prompts.intents.context import Context
from workbench.prompts.intents.references import Reference, named_in
from workbench.prompts.intents.words import lemma, words_of
from workbench.scene import Beat, When

__all__ = ["acted", "verb_of"]


def acted(found: Reference, event: Event, score: float, context: Context) -> Candidate | None:
    """Return the candidate for ``event`` by the entity ``found``; None if it is not in the cast."""
    scene = context.scene
    entity = scene.entity(found.ids[0])
    if entity is None:
        return None
    doing = event.doing
    own = scene.beats_of(entity.id)
    if not own and entity.is_lead and len(context.leads()) == 1:
        own = tuple(b for b in scene.beats if not b.actor)
    if any(b.text.lower() == doing.lower() for b in own):
        return Candidate(already=True, score=score)
    targets = tuple(i for i in named_in(doing, context) if i != entity.id)
    is_now = event.when is When.TOGETHER and len(doing.split()) <= 5
    replaced = _replaced_by(doing, own) if not found.part and is_now else None
    if event.must and len(own) == 1 and not found.part:
        replaced = own[0]
    if replaced is not None:
        return Candidate((ChangeBeat(beat=replaced.id, text=doing),), score, intent="event")
    actors = found.ids if len(found.ids) > 1 and not found.part else found.ids[:1]
    beats = tuple(
        AddBeat(text=doing, actor=one, targets=targets, when=event.when, part=found.part)
        for one in actors
    )
    return Candidate(beats, score, intent="event")


def _replaced_by(doing: str, own: Sequence[Beat]) -> Beat | None:
    """Return the beat that ``doing`` excludes: an entity that sleeps does not run."""
    verb = verb_of(doing)
    if verb not in words_of("verbs", "exclusive"):
        return None
    group = {
        "eat",
        "drink",
        "cook",
        "read",
        "sing",
        "paint",
        "work",
        "play",
        "fight",
        "argue",
        "talk",
    }
    for beat in own:
        now = verb_of(beat.text)
        if now == verb or (
            now in words_of("verbs", "exclusive") and (now in group) == (verb in group)
        ):
            return beat
    return None


def verb_of(doing: str) -> str:
    """Return the base form of the verb of an action."""
    words = [w for w in doing.lower().split() if not w.endswith("ly")]
    return lemma(words[0], "VERB") if words else ""
