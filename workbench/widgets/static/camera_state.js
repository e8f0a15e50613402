// The camera of the next renders: its setting, its path from above, previews along it.

import { currentIndex, baseIndex } from "./places.js";

const DRAFT = 6; // frames of the storyboard while the path is changing
const FINE = 32;
const REST_MS = 250;

/** One camera for the panels of all steps; the kernel knows what a path is. */
export class CameraState {
  constructor(store, settings) {
    this.store = store;
    this.settings = settings; // a function, as the render settings are created after the steps
    this.view = { camera: null };
    this.strip = null; // { picture, count }
    this.chosen = null; // the selected keyframe
    this.told = "";
    this.error = ""; // stands until another edit or other settings
    this.walk = null; // opens the live view
    this.openPanels = 0;
    this.commits = Promise.resolve();
    this._kept = null; // { session, undo, redo }: the cameras before and after this one
    this._listeners = new Set();
  }

  onChange(listener) {
    this._listeners.add(listener);
  }

  /** The camera as a setting: words, keys, or a path; null if the prompt decides. */
  get camera() {
    return this._set.camera ?? null;
  }

  get canUndo() {
    return this._past.undo.length > 0;
  }

  get canRedo() {
    return this._past.redo.length > 0;
  }

  /** Ask again if the settings or the storyboard's prompt have changed. */
  update() {
    if (this.live || !this.openPanels) return;
    const key = JSON.stringify([this._set, this._prompt]);
    if (key === this.key) return;
    if (this.key !== null) this.error = "";
    this.key = key;
    this._look({ ...this.shown });
  }

  /** A panel was opened or closed. */
  show(on) {
    this.openPanels += on ? 1 : -1;
    if (this.openPanels === 1 && on) this._forget();
    this.update();
  }

  /** Preview an edit of the camera; only the newest counts. */
  try(edit) {
    this.live = true;
    this.error = "";
    this._look({ ...this.shown, edit });
  }

  /** Apply an edit of the camera; one edit at a time. */
  commit(edit) {
    return this._inTurn(() => this._commit(edit));
  }

  _inTurn(work) {
    this.commits = this.commits.then(work);
    return this.commits;
  }

  async _commit(edit) {
    this.live = true;
    this.wanted = null;
    await this.looking;
    this.error = "";
    try {
      const view = await this.store.call("camera", { ...this.shown, edit });
      this._show(view);
      this.told = view.told;
      const { past, before } = await this._become(view.camera);
      past.undo.push(before);
      past.redo = [];
      return true;
    } catch (error) {
      this.error = error.message;
      this.key = null;
      return false;
    } finally {
      this.live = false;
      this._changed();
      this.update();
    }
  }

  /** Discard the previewed edit. */
  cancel() {
    this.live = false;
    this._forget();
    this.update();
  }

  undo() {
    return this._inTurn(() => this._back("undo", "redo", "Undone."));
  }

  redo() {
    return this._inTurn(() => this._back("redo", "undo", "Redone."));
  }

  choose(index) {
    if (index === this.chosen) return;
    this.chosen = index;
    this._changed();
  }

  /** What is shown of which prompt: the arguments of a command that shows it. */
  get shown() {
    return { settings: this._set, ...this._prompt };
  }

  get _set() {
    return this.settings().set;
  }

  /** The prompt of the storyboard: that of the step, or the idea as typed. */
  get _prompt() {
    const { store } = this;
    const index = store.view.step === 3 ? currentIndex(store) : baseIndex(store);
    return index === null ? { idea: store.idea || "a figure in a landscape" } : { index };
  }

  /** What can be undone and redone: nothing of another session. */
  get _past() {
    const session = this.store.session?.id ?? null;
    if (this._kept?.session !== session) this._kept = { session, undo: [], redo: [] };
    return this._kept;
  }

  /** Set the camera; returns the one before, and the past that it belongs to. */
  async _become(camera) {
    const { _past: past, camera: before } = this;
    await this.settings().change({ camera });
    this.key = JSON.stringify([{ ...this._set, camera }, this._prompt]);
    return { past, before };
  }

  async _back(from, to, told) {
    if (!this._past[from].length) return;
    this.chosen = null;
    this.error = "";
    try {
      const { past, before } = await this._become(this._past[from].at(-1));
      past[from].pop();
      past[to].push(before);
      this.told = told;
    } catch (error) {
      this.error = error.message;
    }
    this.key = null;
    this.update();
    this._changed();
  }

  /** Ask at the next update, whatever has been told. */
  _forget() {
    this.key = null;
    this.error = "";
  }

  /** Request the newest state; intermediate ones are skipped. */
  _look(wanted) {
    this.wanted = wanted;
    this.looking ??= this._lookAll().finally(() => {
      this.looking = null;
    });
  }

  async _lookAll() {
    while (this.wanted) {
      const asked = this.wanted;
      this.wanted = null;
      try {
        const view = await this.store.call("camera", asked);
        if (this.wanted && !asked.edit) continue;
        this._show(view);
        if (asked.edit) this.told = view.told;
        this._changed();
      } catch (error) {
        if (this.wanted) continue;
        this.error = error.message;
        this._changed();
      }
    }
  }

  _show(view) {
    this.view = view;
    if (view.chosen !== null) this.chosen = view.chosen;
    if (this.chosen !== null && this.chosen >= (view.keyframes?.length ?? 0)) this.chosen = null;
    this._draw();
  }

  /** Draw the storyboard along the path: coarsely at once, finely when the path stops changing. */
  _draw() {
    clearTimeout(this.resting);
    this._drawn(DRAFT);
    this.resting = setTimeout(() => this._drawn(FINE), REST_MS);
  }

  _drawn(count) {
    this.drawing = { settings: { ...this._set, camera: this.view.camera }, ...this._prompt, count };
    this.busy ??= this._drawAll().finally(() => {
      this.busy = null;
    });
  }

  async _drawAll() {
    while (this.drawing) {
      const asked = this.drawing;
      this.drawing = null;
      try {
        const bytes = await this.store.call("camera_preview", asked);
        const picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
        this.strip?.picture.close();
        this.strip = { picture, count: asked.count };
        this._changed();
      } catch {
        // the panel reports problems of the path, which is valid without a picture
      }
    }
  }

  _changed() {
    for (const listener of this._listeners) listener();
  }
}

/** The camera as a setting, in a few words. */
export function cameraText(camera) {
  if (camera === undefined || camera === null) return "";
  return typeof camera === "string" ? camera : "a drawn path";
}
