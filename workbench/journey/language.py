"""Language models in Python: the one that writes prompts, the available ones, the choice."""

from __future__ import annotations

from typing import Final

from workbench.journey.beginnings import studio
from workbench.journey.prompts import Session
from workbench.prompts.language_models.checking import EndpointCheck
from workbench.prompts.language_models.overview import LanguageOverview
from workbench.studio import Studio

__all__ = ["LanguageModelList", "language_models"]

_GB: Final = 1e9


def language_models(
    session: Session | None = None, *, using: Studio | None = None
) -> LanguageModelList:
    """Return the model that writes prompts, in ``session`` or by default, and the alternatives.

    Asks the servers on this machine (Ollama, LM Studio, llama.cpp, vLLM, SGLang) for their models,
    for at most 0.3 s in all.
    """
    return LanguageModelList(session, using=using or (session.studio if session else studio()))


class LanguageModelList:
    """The language models that were found, to choose from; a notebook shows it as a list.

    ``choice`` is the current model, ``servers`` those that respond on this machine, ``catalog`` the
    models that can be fetched; each has the fields of ``GET /api/language``.
    """

    def __init__(self, session: Session | None, *, using: Studio) -> None:
        self._session = session
        self._studio = using
        found = self._found()
        self.choice = found.choice
        self.servers = found.servers
        self.catalog = found.catalog

    def use(self, model: str, *, url: str = "", key: str = "") -> LanguageModelList:
        """Use ``model`` in the session, or by default if this list has no session.

        ``model`` is ``"builtin"``, a model's name at the endpoint ``url``, a name from the
        catalogue, or a local file or folder. ``key`` is stored in the system's keyring, or in a
        file that only its owner can read; omit it if it is already stored, and never write it into
        a notebook. Raises ``InvalidRequest`` for a model that is not here; the message says how to
        get it.
        """
        used, session = self._studio, self._session
        choice = used.language.models.named(model, url)
        session_id = None if session is None else session.session_id
        used.run(
            used.choose_language(choice, session_id, api_key=key, as_default=session_id is None)
        )
        return LanguageModelList(session, using=used)

    def test(self, model: str = "", *, url: str = "", key: str = "") -> EndpointCheck:
        """Ask ``model``, or the current one, one small question; never raises for its answer."""
        used, session = self._studio, self._session
        choice = (
            used.language.models.named(model, url)
            if model
            else used.language.choice(None if session is None else session.session_id)
        )
        return used.run(used.language.models.check(choice, key))

    def fetch(self, name: str) -> LanguageModelList:
        """Fetch a model of the catalogue; :meth:`use` then accepts its name.

        Raises ``LanguageModelError`` with the command to run if the hub is not allowed.
        """
        self._studio.language.models.fetch(name)
        return LanguageModelList(self._session, using=self._studio)

    def __repr__(self) -> str:
        lines = [f"Prompts by: {self.choice.label}"]
        for server in self.servers:
            names = ", ".join(server.models) or "no model loaded"
            told = "wants a key" if server.needs_key else names
            lines.append(f"{server.name} at {server.base_url}: {told}")
        lines += [
            f"{one.name} ({one.memory_bytes / _GB:.1f} GB of memory): "
            f"{'is here' if one.is_here else one.command}"
            for one in self.catalog
        ]
        return "\n".join(lines)

    def _found(self) -> LanguageOverview:
        session_id = None if self._session is None else self._session.session_id
        return self._studio.run(self._studio.language.overview(session_id))
