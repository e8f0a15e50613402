"""The front end alone in a page, over a model that the test plays: no kernel, no server."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page

from tests.browser.screen import LOAD_MS
from workbench.scene import SCENE_FIELDS
from workbench.widgets import workbench as home
from workbench.widgets.bundle import bundle_module, bundle_styles
from workbench.widgets.presentation import field_views

__all__ = ["entry_view", "job_view", "open_front_end"]

_STATIC: Final = Path(home.__file__).parent / "static"
_PAGE: Final = (
    "<!doctype html><html lang='en'><title>cards</title><body><div id='out'></div></body>"
)
_MODEL: Final = """
async ([module, state]) => {
  const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  const listeners = {};
  window.fire = (name, ...args) => (listeners[name] ?? []).forEach((tell) => tell(...args));
  window.set = (name, value) => { state[name] = value; window.fire(`change:${name}`); };
  window.values = {};  // what the kernel answers to a command
  window.held = null;  // a list here keeps its answers back
  window.release = () => { const held = window.held; window.held = null; held.forEach((answer) => answer()); };
  const model = {
    get: (name) => state[name],
    on: (name, tell) => (listeners[name] ??= []).push(tell),
    off() {},
    send: ({ id, do: name }) => {
      const answer = () => window.fire("msg:custom", { kind: "answer", id, value: window.values[name] });
      if (window.held) window.held.push(answer);
      else queueMicrotask(answer);
    },
  };
  widget.render({ model, el: document.getElementById("out"), signal: new AbortController().signal });
}
"""


def entry_view(index: int) -> dict[str, Any]:
    """Return the prompt at ``index``, a variation of the first."""
    return {
        "index": index, "kind": "variation" if index else "enhanced", "prompt": f"a dog, take {index}",
        "parent": 0 if index else None, "request": "", "fallback": False, "source": "provider",
        "message": "", "changes": [], "created": 0, "jobs": [], "provider": "builtin", "settings": {},
        "scene": {name: {"value": "", "origin": ""} for name in SCENE_FIELDS},
    }  # fmt: skip


def job_view(index: int) -> dict[str, Any]:
    """Return a render of that prompt, which waits."""
    return {
        "job_id": f"j_{index}", "batch_id": "b_0", "position": index, "session_id": "s_0",
        "entry_index": index, "state": "queued", "status": "pending", "cancelled": False,
        "progress": 0, "stage": "drawing", "message": "", "step": 0, "total_steps": 50,
        "device": "cpu:0", "gpu_id": None, "attempt": 1, "eta_s": 3, "wait_s": None,
        "queue_position": index, "error": "", "video_url": None, "poster_url": None,
        "preview_url": None, "preview_job_id": None, "preview_of": None, "prompt": "a dog",
        "negative_prompt": "", "seed": 1, "seed_text": "1", "engine": "animatic", "model": "",
        "width": 832, "height": 480, "num_frames": 81, "fps": 24, "num_inference_steps": None, "caption": f"dog · {index}",
        "guidance_scale": None, "size_bytes": None, "starred": False, "note": "", "scores": None,
        "near_duplicates": [], "priority": 10, "revision": 0, "sketch": False,
        "created_at": f"2026-01-01T00:{index // 60:02d}:{index % 60:02d}Z", "started_at": None,
        "finished_at": None,
    }  # fmt: skip


def open_front_end(
    browser: Browser,
    *,
    entries: Sequence[Mapping[str, Any]],
    jobs: Iterable[Mapping[str, Any]],
    board: Sequence[int] = (),
    config: Mapping[str, Any] | None = None,
) -> Page:
    """Open it with a session of these prompts and renders, some of them on the table.

    ``config`` has values beside the usual ones.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(LOAD_MS)
    page = context.new_page()
    page.goto("data:text/html;base64," + base64.b64encode(_PAGE.encode()).decode())
    page.add_style_tag(content=bundle_styles(_STATIC))
    state = {
        "session_state": {"id": "s_0", "created": 0, "entries": list(entries)},
        "jobs_state": {job["job_id"]: job for job in jobs},
        "devices_state": [],
        "queue_state": {"paused": False},
        "board_state": {"indices": list(board), "pinned": [], "batch": "b_0"},
        "config": {
            "groups": field_views(), "engine": "animatic", "engines": ["animatic"], "live_engines": [], "place": "",
            "session": None, "private": False, "max_prompt_chars": 4000, "max_batch": 64, **(config or {}),
        },
        "selected_ids": [],
    }  # fmt: skip
    page.evaluate(_MODEL, [bundle_module(_STATIC / "main.js"), state])
    return page
