// How the next renders are made: what is set, what the engine does by itself, and how to change it.

import { attribute } from "./dom.js";
import { baseIndex, currentIndex } from "./places.js";

/** The render settings of the prompt at hand; before there is one, those that it will get. */
export class RenderSettings {
  constructor(store) {
    this.store = store;
    this.values = {}; // what renders use
    this.defaults = {}; // what they would use if nothing were set
    this.problem = "";
    this.inputs = null; // what the model takes beside the prompt; null where that is not known
  }

  /** What is set, by name. */
  get set() {
    return this._entry?.settings ?? this.store.view.draft;
  }

  /** Whether every render of the session has the same seed. */
  get keepsSeed() {
    const entry = this._entry;
    return entry ? entry.settings.seed !== undefined : !this.store.view.newSeeds;
  }

  /** Ask anew what the engine makes of the settings, where they have changed. */
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

/** Mark a row that is not as the engine would have it. */
export function markChanged(node, changed) {
  attribute(node, "data-changed", changed);
}
