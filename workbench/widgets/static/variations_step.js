// Step 2: the prompt and its variations as cards, rendered together.

import { Axes } from "./axes.js";
import { attribute, button, h, Keyed, put, show } from "./dom.js";
import { secondsLeft } from "./estimate.js";
import { hasEnded, isComplete } from "./job.js";
import { Notice } from "./notice.js";
import { baseIndex } from "./places.js";
import { Skeletons, VariationCard } from "./variation_card.js";
import { duration, plural } from "./words.js";

export class VariationsStep {
  constructor(store, { go }) {
    this.store = store;
    this.go = go;
    this.notice = new Notice();
    this.axes = new Axes(store);
    this.count = h("input", { type: "number", min: 2, max: Math.min(64, store.config.max_batch), value: 8 });
    this.seeds = h("input", { type: "number", min: 1, max: 8, value: 1, title: "Renders per card, each with a different seed" });
    this.make = button("Make new ones", { icon: "spark", onclick: () => this.vary(true) });
    this.render = button("Render all", { icon: "play", kind: "primary", onclick: () => this._ask("render_all", { seeds: this._seeds() }) });
    this.rest = button("Render the rest", { icon: "play", kind: "primary", onclick: () => this._ask("render_rest") });
    this.stop = button("Cancel all", { icon: "stop", onclick: () => this._cancel() });
    this.results = button("See results", { icon: "arrow", onclick: () => this.go(4) });
    this.summary = h("p", { class: "wb-quiet" });
    this.grid = h("div", { class: "wb-grid", role: "list", "aria-label": "Variations" });
    this.cards = new Keyed(this.grid, (card) => card.key, (card) => this._part(card));
    this.prompt = h("p", { class: "wb-empty-prompt" });
    this.empty = h(
      "div",
      { class: "wb-empty" },
      this.prompt,
      h("p", { text: "Each variation changes something you can name; the subject and its action stay." }),
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
      h("div", { class: "wb-row wb-head-main" }, this.stop, this.results, this.render, this.rest),
      h(
        "div",
        { class: "wb-tools" },
        h("label", { class: "wb-count" }, h("span", { text: "How many" }), this.count),
        this.axes.el,
        this.make,
        h("label", { class: "wb-count" }, h("span", { text: "Seeds" }), this.seeds),
      ),
    );
  }

  /** Make variations of step 1's prompt, or of the grid's; `again` asks for different ones. */
  vary(again) {
    const [first] = this.store.board.indices ?? [];
    const onTable = again && first !== undefined && !this._outdated();
    return this._vary(onTable ? first : baseIndex(this.store), again);
  }

  async _vary(index, again) {
    const total = Math.max(2, Math.min(64, Number(this.count.value) || 8));
    this.expected = total;
    const args = { index, total, axes: this.axes.chosen, one_thing: this.axes.oneThing, again };
    await this.notice.guard(() => this.store.call("vary", args, "vary"));
  }

  update() {
    const { store } = this;
    const { indices = [], pinned = [] } = store.board;
    const entries = indices.map((index) => store.entry(index)).filter(Boolean);
    const making = store.busy("vary");
    const cards = entries.map((entry, place) => ({
      key: `card ${entry.index}`,
      entry,
      place,
      parent: store.entry(indices[0]),
      first: place === 0,
      pinned: pinned.includes(entry.index),
      job: this._jobOf(entry.index),
      axes: this.axes.chosen,
    }));
    this.cards.update([...cards, ...Skeletons(making ? this.expected - cards.length : 0)]);
    this.axes.update();
    this._updateHead(cards, making);
  }

  /** The render in the grid's batch, or else the newest. */
  _jobOf(index) {
    const { batch } = this.store.board;
    const own = this.store.jobOf(index);
    if (!batch || own?.batch_id === batch) return own;
    return this.store.renders.find((job) => job.batch_id === batch && job.entry_index === index && isComplete(job)) ?? own;
  }

  _updateHead(cards, making) {
    const { store } = this;
    const begun = cards.some((card) => card.job && !card.first) || Boolean(store.board.batch);
    const jobs = begun ? cards.map((card) => card.job).filter(Boolean) : [];
    const working = jobs.filter((job) => !hasEnded(job)).length;
    const done = jobs.filter((job) => isComplete(job)).length;
    const failed = jobs.filter((job) => job.state === "failed").length;
    const left = begun ? cards.length - done - working : 0;
    const submitting = store.busy("render_all") || store.busy("render_rest");
    show(this.empty, cards.length < 2 && !making);
    show(this.grid, cards.length > 1 || making);
    show(this.make, cards.length > 1 || making);
    put(this.prompt, store.entry(baseIndex(store))?.prompt);
    show(this.stop, working > 0);
    show(this.results, done > 0);
    attribute(this.make, "disabled", making);
    attribute(this.make, "data-working", making);
    put(this.make.lastChild, this._outdated() ? "Make variations of the new prompt" : "Make new ones");
    show(this.render, cards.length > 1);
    attribute(this.render, "disabled", making || submitting || working > 0);
    attribute(this.render, "data-working", store.busy("render_all"));
    this.render.classList.toggle("wb-primary", !begun);
    put(this.render.lastChild, begun && !working ? "Render all again" : "Render all");
    show(this.rest, left > 0 && cards.length > 1);
    attribute(this.rest, "disabled", making || submitting);
    attribute(this.rest, "data-working", store.busy("render_rest"));
    put(this.rest.lastChild, left === failed ? `Try ${failed} failed again` : `Render the rest (${left})`);
    put(this.summary, making ? `Writing variations, ${cards.length} of ${this.expected}…` : this._summary(cards, jobs, done));
  }

  _summary(cards, jobs, done) {
    if (cards.length < 2) return "";
    if (this._outdated()) return "These are variations of an earlier prompt.";
    if (!jobs.length) return `${plural(cards.length, "prompt")} ready to render.`;
    if (done === cards.length) return `${plural(done, "video")} finished.`;
    const count = (state) => jobs.filter((job) => job.state === state).length;
    const left = secondsLeft(jobs);
    const told = [
      `${done} of ${cards.length} finished`,
      count("failed") ? `${count("failed")} failed` : "",
      count("cancelled") ? `${count("cancelled")} cancelled` : "",
      left ? `about ${duration(left)} left` : "",
    ];
    return `${told.filter(Boolean).join(", ")}.`;
  }

  /** Whether the grid varies a different prompt than that of step 1. */
  _outdated() {
    const { store } = this;
    const { indices = [] } = store.board;
    const base = baseIndex(store);
    if (indices.length < 2 || indices.includes(base)) return false;
    for (let one = store.entry(indices[0]); one; one = store.entry(one.parent)) if (one.index === base) return false;
    return true;
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

  _seeds() {
    return Math.max(1, Math.min(8, Math.round(Number(this.seeds.value)) || 1));
  }

  async _ask(name, args = {}) {
    await this.notice.guard(() => this.store.call(name, args, name));
    this.title.focus({ preventScroll: true }); // the button may be gone
  }

  _cancel() {
    const jobs = (this.store.board.indices ?? []).map((index) => this._jobOf(index)).filter((job) => job && !hasEnded(job));
    this._ask("cancel_many", { jobs: jobs.map((job) => job.job_id) });
  }
}
