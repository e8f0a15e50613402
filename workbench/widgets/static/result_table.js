// The results as a table: a row for each video, of which only those in sight are there.

import { Sparkline } from "./curves.js";
import { attribute, button, h, put, show } from "./dom.js";
import { isComplete, tookSeconds } from "./job.js";
import { lengthWords, sizeWords } from "./facts.js";
import { address } from "./media.js";
import { numberOf } from "./places.js";
import { figure, SCORES } from "./scores.js";
import { duration, jobWords } from "./words.js";

const ROW = 60;
const SPARE = 2; // rows beyond the view

/** Heading, what it sorts by, and how it is written into its cell. */
const FACTS = [
  ["Video", "caption"],
  ["Starred", "starred"],
  ["Seed", "seed", (job) => job.seed_text],
  ["Size", null, sizeWords],
  ["Length", null, lengthWords],
  ["Took", "took", (job) => duration(tookSeconds(job))],
];

export class ResultTable {
  /** `actions` are those of the cards; `curves` knows the lines of the scores. */
  constructor(store, actions, curves) {
    this.store = store;
    this.actions = actions;
    this.curves = curves;
    this.items = [];
    this.rows = [];
    this.heads = [];
    this.above = spacer();
    this.below = spacer();
    this.body = h("tbody", {}, this.above, this.below);
    this.names = Object.keys(SCORES);
    const facts = FACTS.slice(0, 2).map(([label, sort]) => this._head(label, sort));
    const scores = this.names.map((name) => this._head(SCORES[name].label, name, SCORES[name].says));
    const others = FACTS.slice(2).map(([label, sort]) => this._head(label, sort));
    this.scoreHeads = new Map(this.names.map((name, place) => [name, scores[place]]));
    this.table = h("table", { class: "wb-table" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "wb-aloud", text: "Chosen" })), facts, scores, others, h("th", { scope: "col", text: "Note" }))), this.body);
    this.el = h("div", { class: "wb-table-scroll", tabindex: 0, role: "region", "aria-label": "Table of videos", onscroll: () => this._draw() }, this.table);
    new ResizeObserver(() => this._draw()).observe(this.el);
  }

  update(groups, facts) {
    this.items = groups.flatMap(({ name, jobs }) => [...(name === null ? [] : [{ name }]), ...jobs.map((job) => ({ job, ...facts(job) }))]);
    const measured = new Set(this.items.flatMap(({ job }) => Object.keys(job?.scores ?? {}).filter((name) => job.scores[name] !== null)));
    const shown = this.names.filter((name) => measured.has(name));
    if (shown.join() !== this.shown?.join()) {
      this.shown = shown;
      for (const row of this.rows.splice(0)) row.el.remove(); // rows of other columns
    }
    for (const [name, head] of this.scoreHeads) show(head, measured.has(name));
    const { sort, reverse } = this.store.view;
    for (const { node, by } of this.heads) attribute(node, "aria-sort", by === sort ? (falls(by) !== reverse ? "descending" : "ascending") : null);
    attribute(this.table, "aria-rowcount", this.items.length + 1);
    this._draw();
  }

  /** Make as many rows as there is room for, and write into them what is scrolled to. */
  _draw() {
    const room = this.el.clientHeight || 0;
    const count = Math.min(this.items.length, Math.ceil(room / ROW) + 2 * SPARE);
    const first = Math.max(0, Math.min(Math.floor(this.el.scrollTop / ROW) - SPARE, this.items.length - count));
    while (this.rows.length < count) this.rows.push(new Row(this));
    while (this.rows.length > count) this.rows.pop().el.remove();
    this.rows.forEach((row, place) => {
      if (!row.el.isConnected) this.body.insertBefore(row.el, this.below);
      row.update(this.items[first + place], first + place);
    });
    this.above.style.height = `${first * ROW}px`;
    this.below.style.height = `${(this.items.length - first - count) * ROW}px`;
  }

  _head(label, by, says) {
    if (!by) return h("th", { scope: "col", text: label });
    const node = h("th", { scope: "col" }, h("button", { type: "button", class: "wb-sorter", title: says ?? null, text: label, onclick: () => this._sort(by) }));
    this.heads.push({ node, by });
    return node;
  }

  _sort(by) {
    const { sort, reverse } = this.store.view;
    this.store.set({ sort: by, reverse: by === sort ? !reverse : false });
    this.el.scrollTop = 0;
  }
}

class Row {
  constructor(table) {
    this.table = table;
    const { actions } = table;
    this.box = h("input", { type: "checkbox", onclick: (event) => actions.choose(this.job.job_id, event.shiftKey) });
    this.picture = h("img", { alt: "", loading: "lazy", decoding: "async" });
    this.number = h("span", { class: "wb-badge" });
    this.caption = h("span", { class: "wb-table-caption" });
    this.state = h("span", { class: "wb-quiet" });
    this.open = h("button", { type: "button", class: "wb-table-open", onclick: () => actions.open(this.job.job_id) }, this.picture, h("span", {}, this.number, this.caption, this.state));
    this.star = button("Star", { icon: "star", bare: true, onclick: () => actions.star(this.job) });
    this.scores = new Map(table.shown.map((name) => [name, new ScoreCell()]));
    this.facts = FACTS.slice(2).map(() => h("td"));
    this.note = h("td", { class: "wb-table-note" });
    this.cells = [h("td", {}, this.box), h("td", {}, this.open), h("td", {}, this.star), ...[...this.scores.values()].map((cell) => cell.el), ...this.facts, this.note];
    this.title = h("th", { class: "wb-table-group", scope: "rowgroup", colspan: this.cells.length, hidden: true });
    this.el = h("tr", {}, this.title, this.cells);
  }

  update(item, place) {
    attribute(this.el, "aria-rowindex", place + 2);
    show(this.title, !item.job);
    for (const cell of this.cells) show(cell, Boolean(item.job));
    this.job = item.job;
    if (!item.job) return put(this.title, item.name);
    return this._show(item);
  }

  _show({ job, chosen }) {
    const { store, curves } = this.table;
    this.box.checked = chosen >= 0;
    attribute(this.box, "aria-label", `Choose ${job.caption}`);
    attribute(this.el, "data-chosen", chosen >= 0);
    const source = job.poster_url ? address(job.poster_url, job.attempt) : null;
    if (source !== this.source) attribute(this.picture, "src", (this.source = source));
    show(this.picture, Boolean(source));
    const number = numberOf(store, job.entry_index);
    put(this.number, number);
    show(this.number, number !== "");
    put(this.caption, job.caption);
    put(this.state, isComplete(job) ? "" : jobWords(job, store.paused));
    attribute(this.open, "aria-label", `View: ${job.caption}`);
    attribute(this.open, "title", job.prompt);
    attribute(this.star, "aria-pressed", String(job.starred));
    attribute(this.star, "aria-label", job.starred ? "Unstar" : "Star");
    const lines = curves.of(job);
    for (const [name, cell] of this.scores) cell.update(job.scores?.[name], lines?.[name], curves.ranges[name]);
    FACTS.slice(2).forEach(([, , words], place) => put(this.facts[place], words(job)));
    put(this.note, job.note);
    return attribute(this.note, "title", job.note);
  }
}

class ScoreCell {
  constructor() {
    this.figure = h("span");
    this.line = new Sparkline();
    this.el = h("td", { class: "wb-table-score" }, this.figure, this.line.el);
  }

  update(value, line, range) {
    put(this.figure, typeof value === "number" ? figure(value) : "");
    this.line.update(line, range);
  }
}

/** Whether the largest comes first where nothing is reversed. */
function falls(by) {
  return SCORES[by] ? !SCORES[by].less : by === "starred" || by === "took";
}

function spacer() {
  return h("tr", { class: "wb-table-spacer", "aria-hidden": "true" });
}
