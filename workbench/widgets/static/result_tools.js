// The tools above the results: sorting, filters, groups, wall or table, and the size of the pictures.

import { FILTERS, SINGLE, SORTS, STATES } from "./choice.js";
import { attribute, button, h, put, show } from "./dom.js";
import { SCORES, scoreOf } from "./scores.js";

export const SIZE = { least: 150, usual: 270, most: 560 };

export class ResultTools {
  constructor(store, choices) {
    this.store = store;
    this.choices = choices;
    this.sort = this._select("Sort", "sort", titles(SORTS), { reverse: false });
    this.state = this._select("Show", "filter", titles(STATES));
    this.batch = this._select("Batch", "batch", []);
    this.group = this._select("Group", "group", []);
    this.field = this._select("Parameter", "byField", []);
    this.tag = this._select("Tag", "byTag", []);
    this.score = this._select("Score", "byScore", []);
    this.least = this._number("at least", "atLeast");
    this.most = this._number("at most", "atMost");
    this.text = h("input", { type: "text", placeholder: "Search prompts, captions and notes", "aria-label": "Search videos", oninput: () => store.set({ byText: this.text.value.trim() }) });
    this.clear = button("Clear filters", { icon: "close", kind: "small", onclick: () => this._clear() });
    this.summary = h("summary", { text: "Filters" });
    this.filters = h("details", { class: "wb-filters" }, this.summary, h("div", { class: "wb-filters-body" }, this.text, this.field.el, this.tag.el, h("span", { class: "wb-row wb-score-filter" }, this.score.el, this.least.el, this.most.el), this.clear));
    this.wall = this._layout("Wall", "wall");
    this.table = this._layout("Table", "table");
    this.size = h("input", { type: "range", class: "wb-scrub", min: SIZE.least, max: SIZE.most, step: 10, "aria-label": "Size of the pictures", title: "Size of the pictures", oninput: () => store.set({ size: Number(this.size.value) }) });
    this.layout = h("span", { class: "wb-row wb-tight", role: "group", "aria-label": "Layout" }, this.wall, this.table);
    this.sizeLabel = h("label", { class: "wb-select" }, h("span", { class: "wb-quiet", text: "Size" }), this.size);
    this.els = [this.layout, this.sort.el, this.state.el, this.batch.el, this.group.el, this.sizeLabel, this.filters];
  }

  update(changed) {
    const { view } = this.store;
    if (changed) this._offer();
    for (const one of [this.sort, this.state, this.batch, this.group, this.field, this.tag, this.score]) one.take(view);
    for (const one of [this.least, this.most]) {
      one.take(view);
      show(one.el, Boolean(view.byScore));
    }
    if (document.activeElement !== this.text) this.text.value = view.byText;
    const active = FILTERS.slice(2, -2).filter((name) => view[name]).length;
    put(this.summary, active ? `Filters (${active})` : "Filters");
    show(this.clear, active > 0);
    for (const node of [this.wall, this.table]) attribute(node, "aria-pressed", String(view.layout === node.value));
    this.size.value = view.size;
    show(this.sizeLabel, view.layout === "wall");
  }

  /** Offer the available choices. */
  _offer() {
    const { choices } = this;
    const labels = this._labels();
    const batches = [...choices.batches.keys()].reverse().map((id) => [id, choices.batchWords(id)]);
    this.batch.offer([["", "all batches"], [SINGLE, "single renders"], ...batches]);
    show(this.batch.el, batches.length > 0);
    const axes = [...choices.fields.keys()].map((name) => [name, labels.get(name).toLowerCase()]);
    this.group.offer([["", "none"], ["batch", "batch"], ["prompt", "prompt"], ["seed", "seed"], ...axes]);
    const values = [...choices.fields].map(([name, found]) => [labels.get(name), [...found].map(([value, count]) => [`${name}=${value}`, `${value} (${count})`])]);
    this.field.offer([["", "any"]], values);
    this.sort.offer(titles({ ...SORTS, ...choices.sorts }));
    this.score.offer([["", "any"], ...[...Object.keys(SCORES), ...choices.scores].map((name) => [name, scoreOf(name).label])]);
    this.tag.offer([["", "any"], ...[...choices.tags].map(([tag, count]) => [tag, `${tag} (${count})`])]);
    show(this.tag.el, choices.tags.size > 0);
  }

  _labels() {
    this.labels ??= new Map(this.store.config.groups.flatMap((group) => group.fields.map((field) => [field.name, field.label])));
    return this.labels;
  }

  _clear() {
    this.text.value = "";
    this.store.set(Object.fromEntries(FILTERS.slice(2).map((name) => [name, ""])));
  }

  _layout(text, value) {
    return h("button", { type: "button", class: "wb-toggle", text, value, onclick: () => this.store.set({ layout: value }) });
  }

  _number(label, name) {
    const node = h("input", { type: "number", step: "any", "aria-label": `Score ${label}`, placeholder: label, onchange: () => this.store.set({ [name]: node.value }) });
    return { el: node, take: (view) => document.activeElement === node || (node.value = view[name]) };
  }

  _select(label, name, choices, also = {}) {
    const node = h("select", { "aria-label": label, onchange: () => this.store.set({ [name]: node.value, ...also }) });
    const select = new Select(node, name, h("label", { class: "wb-select" }, h("span", { class: "wb-quiet", text: label }), node));
    select.offer(choices);
    return select;
  }
}

/** [value, text] of choices that begin with their text. */
function titles(choices) {
  return Object.entries(choices).map(([value, [text]]) => [value, text]);
}

/** A select for a value of the view state. */
class Select {
  constructor(node, name, el) {
    this.node = node;
    this.name = name;
    this.el = el;
  }

  /** Offer [value, text] pairs, and labelled groups of them; rebuilt only if they differ. */
  offer(choices, groups = []) {
    const key = JSON.stringify([choices, groups]);
    if (key === this.key) return;
    this.key = key;
    const option = ([value, text]) => h("option", { value, text });
    this.node.replaceChildren(...choices.map(option), ...groups.map(([label, members]) => h("optgroup", { label }, members.map(option))));
    this.known = new Set([...choices, ...groups.flatMap(([, members]) => members)].map(([value]) => value));
  }

  take(view) {
    const value = view[this.name] ?? "";
    this.node.value = this.known.has(value) ? value : "";
  }
}
