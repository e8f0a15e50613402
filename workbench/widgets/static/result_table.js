// The results as a table: a row for each video; only rows near the view exist in the page.

import { Sparkline } from "./curves.js";
import { attribute, button, h, Keyed, put, show } from "./dom.js";
import { isComplete, tookSeconds } from "./job.js";
import { lengthWords, sizeWords } from "./facts.js";
import { address } from "./media.js";
import { numberOf } from "./places.js";
import { figure, installedScores, SCORES, scoreOf } from "./scores.js";
import { isCovered, Spacer, windowed } from "./windowing.js";
import { duration, jobWords } from "./words.js";

const ROW = 60; // px, as in the style sheets
const NEAR = 5 * ROW;

/** Heading, sort key, minimum width in px, and how to fill a cell. */
const VIDEO = ["Video", "caption", 260];
const STAR = ["Starred", "starred", 84];
const FACTS = [
  ["Seed", "seed", 112, (job) => job.seed_text],
  ["Size", null, 96, sizeWords],
  ["Length", null, 132, lengthWords],
  ["Took", "took", 70, (job) => duration(tookSeconds(job))],
];
const BOX = 42;
const SCORE = 96;
const NOTE = 180;

export class ResultTable {
  /** `actions` are those of the cards; `curves` has the lines of the scores. */
  constructor(store, actions, curves) {
    this.store = store;
    this.actions = actions;
    this.curves = curves;
    this.rows = [];
    this.heads = [];
    this.names = Object.keys(SCORES);
    this.body = h("tbody");
    this.list = this._list();
    const [video, star, ...facts] = [VIDEO, STAR, ...FACTS].map(([label, sort, width]) => this._head(label, sort, width));
    video.style.width = ""; // takes the remaining width
    this.scoreHeads = new Map(this.names.map((name) => [name, this._scoreHead(name)]));
    this.firstFact = facts[0];
    this.noteHead = this._head("Note", null, NOTE);
    const box = h("th", { scope: "col", style: `width: ${BOX}px` }, h("span", { class: "wb-aloud", text: "Chosen" }));
    this.table = h("table", { class: "wb-table" }, h("thead", {}, h("tr", {}, box, video, star, [...this.scoreHeads.values()], facts, this.noteHead)), this.body);
    this.el = h("div", { class: "wb-table-scroll", tabindex: 0, role: "region", "aria-label": "Table of videos", onscroll: () => this._look() }, this.table);
    new ResizeObserver(() => this._look()).observe(this.el);
  }

  update(groups, facts) {
    this.facts = facts;
    const items = groups.flatMap(({ name, jobs }) => [...(name === null ? [] : [{ key: `group ${name}`, name }]), ...jobs.map((job) => ({ key: job.job_id, job }))]);
    this.rows = items.map((item, place) => ({ items: [{ ...item, place }], height: ROW }));
    this._showColumns(items.flatMap(({ job }) => job ?? []));
    const { sort, reverse } = this.store.view;
    for (const { node, by } of this.heads) attribute(node, "aria-sort", by === sort ? (this._falls(by) !== reverse ? "descending" : "ascending") : null);
    attribute(this.table, "aria-rowcount", items.length + 1);
    this._draw();
  }

  _list() {
    const make = ({ job, spacer }) => (spacer ? new Spacer("tr") : job ? new Row(this) : new Heading(this));
    return new Keyed(this.body, ({ key }) => key, make, (part, { job }) => part instanceof Row && Boolean(job));
  }

  /** Show a column for each existing score, and one for notes if there are any. */
  _showColumns(jobs) {
    for (const name of installedScores(jobs).filter((one) => !this.scoreHeads.has(one))) {
      this.names.push(name);
      this.scoreHeads.set(name, this._scoreHead(name));
      this.firstFact.before(this.scoreHeads.get(name));
    }
    const measured = new Set(jobs.flatMap(({ scores }) => Object.keys(scores ?? {}).filter((name) => scores[name] !== null)));
    const shown = this.names.filter((name) => measured.has(name));
    const hasNotes = jobs.some(({ note }) => note);
    const key = `${shown} ${hasNotes}`;
    if (key === this.columns) return;
    Object.assign(this, { columns: key, shown, hasNotes });
    this.list.update([]); // rows of other columns
    for (const [name, head] of this.scoreHeads) show(head, measured.has(name));
    show(this.noteHead, hasNotes);
    const width = [VIDEO, STAR, ...FACTS].reduce((sum, [, , px]) => sum + px, BOX + shown.length * SCORE + (hasNotes ? NOTE : 0));
    this.table.style.minWidth = `${width}px`;
  }

  _look() {
    const { view } = this;
    const spacers = [...this.body.getElementsByClassName("wb-spacer")].map(({ offsetTop, offsetHeight }) => [offsetTop, offsetTop + offsetHeight]);
    if (!isCovered(view, spacers, NEAR)) this._draw();
  }

  get view() {
    const { scrollTop, clientHeight } = this.el;
    return [scrollTop, scrollTop + clientHeight];
  }

  _draw() {
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    const held = focused?.closest("tr").dataset.key;
    const shown = windowed(this.rows, this.view, { near: NEAR, isHeld: ({ key }) => key === held });
    this.list.update(shown.map((item) => (item.job ? { ...item, ...this.facts(item.job) } : item)));
    if (focused && (!this.list.parts.has(held) || document.activeElement !== focused)) this.el.focus({ preventScroll: true });
  }

  _scoreHead(name) {
    const { label, says } = this._score(name);
    return this._head(label, name, SCORE, says);
  }

  _score(name) {
    return scoreOf(name, this.store.config.lower_scores);
  }

  /** Whether the largest value comes first by default. */
  _falls(by) {
    return this.scoreHeads.has(by) ? !this._score(by).less : by === "starred" || by === "took";
  }

  _head(label, by, width, says) {
    const style = `width: ${width}px`;
    if (!by) return h("th", { scope: "col", text: label, style });
    const node = h("th", { scope: "col", style }, h("button", { type: "button", class: "wb-sorter", title: says ?? null, text: label, onclick: () => this._sort(by) }));
    this.heads.push({ node, by });
    return node;
  }

  _sort(by) {
    const { sort, reverse } = this.store.view;
    this.store.set({ sort: by, reverse: by === sort ? !reverse : false });
    this.el.scrollTop = 0;
  }
}

class Heading {
  constructor({ table }) {
    this.title = h("th", { class: "wb-table-group", scope: "rowgroup", colspan: table.rows[0].cells.length });
    this.el = h("tr", {}, this.title);
  }

  update({ name, place }) {
    attribute(this.el, "aria-rowindex", place + 2);
    put(this.title, name);
  }
}

class Row {
  constructor(table) {
    this.table = table;
    const { actions } = table;
    this.box = h("input", { type: "checkbox", onclick: (event) => actions.choose(this.job.job_id, event.shiftKey) });
    this.picture = h("img", { alt: "", decoding: "async" });
    this.number = h("span", { class: "wb-badge" });
    this.caption = h("span", { class: "wb-table-caption" });
    this.state = h("span", { class: "wb-quiet" });
    this.open = h("button", { type: "button", class: "wb-table-open", onclick: () => actions.open(this.job.job_id) }, this.picture, h("span", {}, this.number, this.caption, this.state));
    this.star = button("Star", { icon: "star", bare: true, onclick: () => actions.star(this.job) });
    this.scores = new Map(table.shown.map((name) => [name, new ScoreCell()]));
    this.facts = FACTS.map(() => h("td"));
    this.note = h("td", { class: "wb-table-note" });
    this.el = h("tr", {}, h("td", {}, this.box), h("td", {}, this.open), h("td", {}, this.star), [...this.scores.values()].map((cell) => cell.el), this.facts, this.note);
  }

  update({ job, place, chosen }) {
    this.box.checked = chosen >= 0;
    attribute(this.el, "data-chosen", chosen >= 0);
    attribute(this.el, "aria-rowindex", place + 2);
    const { store, curves } = this.table;
    const lines = curves.of(job);
    for (const [name, cell] of this.scores) cell.update(job.scores?.[name], lines?.[name], curves.ranges[name]);
    put(this.number, numberOf(store, job.entry_index));
    show(this.number, this.number.textContent !== "");
    put(this.state, isComplete(job) ? "" : jobWords(job, store.paused));
    if (job === this.job) return;
    this.job = job;
    attribute(this.box, "aria-label", `Choose ${job.caption}`);
    attribute(this.picture, "src", job.poster_url ? address(job.poster_url, job.attempt) : null);
    show(this.picture, Boolean(job.poster_url));
    put(this.caption, job.caption);
    attribute(this.open, "aria-label", `View: ${job.caption}`);
    attribute(this.open, "title", job.prompt);
    attribute(this.star, "aria-pressed", String(job.starred));
    attribute(this.star, "aria-label", job.starred ? "Unstar" : "Star");
    FACTS.forEach(([, , , words], cell) => put(this.facts[cell], words(job)));
    put(this.note, job.note);
    show(this.note, this.table.hasNotes);
    attribute(this.note, "title", job.note);
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
