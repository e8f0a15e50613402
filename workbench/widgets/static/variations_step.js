// Step 2: the prompt and its variations as cards, rendered together.

import { Axes } from "./axes.js";
import { attribute, button, h, Keyed, put, show } from "./dom.js";
import { hasEnded, isComplete } from "./job.js";
import { Notice } from "./notice.js";
import { baseIndex } from "./prompt_step.js";
import { RenderOptions } from "./render_options.js";
import { Skeletons, VariationCard } from "./variation_card.js";
import { plural } from "./words.js";

export class VariationsStep {
  constructor(store, { go }) {
    this.store = store;
    this.go = go;
    this.notice = new Notice();
    this.axes = new Axes();
    this.options = new RenderOptions(store);
    this.count = h("input", { type: "number", min: 2, max: Math.min(64, store.config.max_batch), value: 8 });
    this.make = button("Make variations", { icon: "spark", onclick: () => this.vary(true) });
    this.render = button("Render all", { icon: "play", kind: "primary", onclick: () => this._render() });
    this.stop = button("Cancel all", { icon: "stop", onclick: () => this._cancel() });
    this.retry = button("Try failed again", { icon: "redo", onclick: () => this._retry() });
    this.results = button("See results", { icon: "arrow", onclick: () => this.go(4) });
    this.summary = h("p", { class: "wb-quiet" });
    this.grid = h("div", { class: "wb-grid", role: "list", "aria-label": "Variations" });
    this.cards = new Keyed(this.grid, (card) => card.key, (card) => this._part(card));
    this.empty = h(
      "div",
      { class: "wb-empty" },
      h("p", { text: "No variations yet. Each one changes a few named things; the subject and its action stay." }),
      button("Make variations", { icon: "spark", kind: "primary", onclick: () => this.vary(false) }),
    );
    this.el = h("section", { class: "wb-step wb-step-variations" }, this._head(), this.notice.el, this.grid, this.empty);
  }

  _head() {
    this.title = h("h2", { tabindex: -1, text: "Variations" });
    return h(
      "header",
      { class: "wb-head" },
      h("div", { class: "wb-head-words" }, this.title, this.summary),
      h("div", { class: "wb-row wb-head-main" }, this.retry, this.stop, this.results, this.render),
      h(
        "div",
        { class: "wb-tools" },
        h("label", { class: "wb-count" }, h("span", { text: "How many" }), this.count),
        this.axes.el,
        this.make,
        this.options.el,
      ),
    );
  }

  /** Make variations of step 1's prompt; `again` requests different ones. */
  vary(again) {
    const index = this.store.board.indices?.[0] ?? baseIndex(this.store);
    return this._vary(again && this.store.board.indices ? index : baseIndex(this.store), again);
  }

  async _vary(index, again) {
    const total = Math.max(2, Math.min(64, Number(this.count.value) || 8));
    const args = { index, total, axes: this.axes.chosen, again };
    this.expected = total;
    await this.notice.guard(() => this.store.call("vary", args, "vary"));
  }

  update() {
    const { store } = this;
    const { indices = [], pinned = [], batch } = store.board;
    const entries = indices.map((index) => store.entry(index)).filter(Boolean);
    const making = store.busy("vary");
    const jobs = new Map(store.renders.filter((job) => job.batch_id && job.batch_id === batch).map((j) => [j.entry_index, j]));
    const cards = entries.map((entry, place) => ({
      key: `card ${entry.index}`,
      entry,
      place,
      parent: store.entry(indices[0]),
      first: place === 0,
      pinned: pinned.includes(entry.index),
      job: jobs.get(entry.index) ?? store.jobOf(entry.index),
      axes: this.axes.chosen,
    }));
    this.cards.update([...cards, ...Skeletons(making ? this.expected - cards.length : 0)]);
    this.options.update();
    this._updateHead(cards, [...jobs.values()], making);
  }

  _updateHead(cards, jobs, making) {
    const { store } = this;
    const working = jobs.filter((job) => !hasEnded(job)).length;
    const done = jobs.filter((job) => isComplete(job)).length;
    show(this.empty, !cards.length && !making);
    show(this.grid, cards.length > 0 || making);
    const failed = jobs.filter((job) => job.state === "failed").length;
    show(this.stop, working > 0);
    show(this.retry, failed > 0);
    attribute(this.retry, "disabled", store.busy("retry_failed"));
    put(this.retry.lastChild, `Try ${failed} failed again`);
    show(this.results, done > 0);
    attribute(this.make, "disabled", making);
    attribute(this.make, "data-working", making);
    put(this.make.lastChild, cards.length > 1 ? "Make others" : "Make variations");
    const submitting = store.busy("render_all");
    attribute(this.render, "disabled", making || submitting || !cards.length || working > 0);
    attribute(this.render, "data-working", submitting);
    put(this.render.lastChild, jobs.length && !working ? "Render all again" : "Render all");
    put(this.summary, making ? `Writing variations, ${cards.length} of ${this.expected}…` : summary(cards, jobs, done));
  }

  _part(card) {
    if (!card.entry) return card.make();
    return new VariationCard(this.store, {
      tune: (index) => {
        this.store.set({ current: index });
        this.go(3);
      },
    });
  }

  async _render() {
    const { options } = this.store.view;
    await this.notice.guard(() => this.store.call("render_all", { options }, "render_all"));
  }

  _retry() {
    this.notice.guard(() => this.store.call("retry_failed", { batch: this.store.board.batch }, "retry_failed"));
  }

  _cancel() {
    this.notice.guard(() => this.store.call("cancel_batch", { batch: this.store.board.batch }, "cancel_batch"));
  }
}

function summary(cards, jobs, done) {
  if (!cards.length) return "";
  if (!jobs.length) return `${plural(cards.length, "prompt")} ready to render.`;
  if (done === jobs.length) return `${plural(done, "video")} finished.`;
  const failed = jobs.filter((job) => hasEnded(job) && !isComplete(job)).length;
  const told = failed ? `, ${failed} without a video` : "";
  return `${done} of ${jobs.length} finished${told}.`;
}
