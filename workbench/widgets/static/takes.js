// Every render of a tuned prompt, side by side, each with its changes.

import { briefChanges } from "./changes.js";
import { attribute, button, h, Keyed, put, show } from "./dom.js";
import { isComplete } from "./job.js";
import { Player } from "./media.js";
import { jobWords } from "./words.js";

export class Takes {
  constructor(store, { take, compare }) {
    this.store = store;
    this.take = take;
    this.chosen = [];
    this.row = h("ol", { class: "wb-takes-row" });
    this.list = new Keyed(this.row, (one) => one.job.job_id, () => new Take(store, {
      open: (index) => take(index),
      choose: (id) => this._choose(id),
    }));
    this.compare = button("Compare", { icon: "columns", kind: "small", onclick: () => compare(this.chosen) });
    this.hint = h("span", { class: "wb-quiet", text: "Choose two to compare them." });
    this.el = h("section", { class: "wb-takes", "aria-label": "Takes" }, h("div", { class: "wb-takes-head" }, h("h3", { text: "Takes" }), this.hint, this.compare), this.row);
  }

  update(entry) {
    const { store } = this;
    const renders = store.renders.filter((job) => !job.batch_id || job.entry_index === entry.index || onLine(store, entry, job.entry_index));
    this.chosen = this.chosen.filter((id) => renders.some((job) => job.job_id === id));
    show(this.el, renders.length > 0);
    this.list.update(
      renders.map((job, place) => ({
        job,
        number: place + 1,
        current: job.entry_index === entry.index,
        chosen: this.chosen.indexOf(job.job_id),
        words: wordsOf(store, job),
      })),
    );
    show(this.hint, renders.length > 1);
    show(this.compare, renders.length > 1);
    attribute(this.compare, "disabled", this.chosen.length !== 2);
  }

  _choose(id) {
    const at = this.chosen.indexOf(id);
    if (at >= 0) this.chosen.splice(at, 1);
    else this.chosen = [...this.chosen.slice(-1), id];
    this.store.emit();
  }
}

class Take {
  constructor(store, { open, choose }) {
    this.store = store;
    this.player = new Player(store, { sound: false }); // it is inside a button
    this.number = h("span", { class: "wb-card-number" });
    this.words = h("span", { class: "wb-take-words" });
    this.state = h("span", { class: "wb-quiet" });
    this.open = h("button", { type: "button", class: "wb-take-open", onclick: () => open(this.one.job.entry_index) }, this.player.el, this.number);
    this.box = h("input", { type: "checkbox", onchange: () => choose(this.one.job.job_id) });
    this.el = h("li", { class: "wb-take" }, this.open, h("label", { class: "wb-take-foot" }, this.box, h("span", {}, this.words, this.state)));
  }

  update(one) {
    this.one = one;
    this.player.update(one.job);
    put(this.number, String(one.number));
    put(this.words, one.words);
    put(this.state, isComplete(one.job) ? "" : jobWords(one.job, this.store.paused));
    attribute(this.el, "data-current", one.current);
    attribute(this.open, "aria-current", one.current ? "true" : null);
    attribute(this.open, "aria-label", `Take ${one.number}: ${one.words}. Continue from here`);
    attribute(this.box, "aria-label", `Choose take ${one.number} to compare`);
    this.box.checked = one.chosen >= 0;
    this.box.disabled = !isComplete(one.job);
  }

  dispose() {
    this.player.dispose();
  }
}

function wordsOf(store, job) {
  const entry = store.entry(job.entry_index);
  if (!entry) return "";
  return briefChanges(entry) || (entry.kind === "variation" ? "Variation" : "First prompt");
}

function onLine(store, entry, index) {
  for (let one = entry; one; one = store.entry(one.parent)) if (one.index === index) return true;
  return false;
}
