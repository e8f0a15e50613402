// Render settings of the next renders: set values, the engine's defaults, and changes.

import { attribute } from "./dom.js";
import { baseIndex, currentIndex } from "./places.js";

/** The render settings of the current prompt; before there is one, those that it will get. */
export class RenderSettings {
  constructor(store) {
    this.store = store;
    this.values = {}; // the values that renders use
    this.defaults = {}; // the values without any setting
    this.problem = "";
    this.inputs = null; // the model's inputs besides the prompt; null if unknown
  }

  /** The set values, by name. */
  get set() {
    return this._entry?.settings ?? this.store.view.draft;
  }

  /** Whether every render of the session has the same seed. */
  get keepsSeed() {
    const entry = this._entry;
    return entry ? entry.settings.seed !== undefined : !this.store.view.newSeeds;
  }

  /** Ask for the engine's values again if the settings have changed. */
  update() {
    const key = JSON.stringify(this.set);
    if (key === this.key) return;
    this.key = key;
    this._describe(key);
  }

  /** Change some; null leaves one to the engine. */
  async change(values) {
    const { store } = this;
    const answer = await store.call("set_render", { values, settings: store.view.draft });
    if (answer?.settings) store.set({ draft: answer.settings });
  }

  async keepSeed(on) {
    const { store } = this;
    if (!this._entry) {
      store.set({ newSeeds: !on });
      if (!on) await this.change({ seed: null });
      return;
    }
    await this.change({ seed: on ? lastSeed(store) : null });
  }

  async _describe(key) {
    const { set } = this;
    const asked = this.store.call("render_values", { settings: set });
    const found = (await asked.catch((error) => ({ problem: error.message }))) ?? {};
    if (key !== this.key) return;
    this.values = found.values ?? this.values;
    this.defaults = found.defaults ?? this.defaults;
    this.problem = found.problem ?? "";
    this.inputs = found.inputs ?? null;
    this.store.emit();
  }

  get _entry() {
    const { store } = this;
    return store.entry(store.view.step === 3 ? currentIndex(store) : baseIndex(store));
  }
}

/** The seed of the newest render, or one drawn here. */
function lastSeed(store) {
  const newest = store.renders[store.renders.length - 1];
  const known = newest && Number.isSafeInteger(newest.seed) ? newest.seed : null;
  return known ?? drawnSeed();
}

export function drawnSeed() {
  return Math.floor(Math.random() * 2 ** 31);
}

/** Mark a row that differs from the engine's default. */
export function markChanged(node, changed) {
  attribute(node, "data-changed", changed);
}
