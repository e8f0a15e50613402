// Step 4: every video with its caption, on a wall that plays in sync or in a table.

import { Choices, isFiltered } from "./choice.js";
import { Curves } from "./curves.js";
import { attribute, button, h, put, show } from "./dom.js";
import { secondsLeft } from "./estimate.js";
import { hasEnded, isComplete } from "./job.js";
import { Notice } from "./notice.js";
import { Playback } from "./playback.js";
import { ResultTable } from "./result_table.js";
import { ResultTools } from "./result_tools.js";
import { rangesOf } from "./scores.js";
import { drawnSeed } from "./settings.js";
import { Tagging } from "./tagging.js";
import { Viewer } from "./viewer.js";
import { Wall } from "./wall.js";
import { WallKeys } from "./wall_keys.js";
import { duration, plural } from "./words.js";
import { ZipDownload } from "./zip_download.js";

const COMPARED = [2, 4];

export class ResultsStep {
  constructor(store, { go, compare, bestOf, deleting, begin, settings, signal }) {
    this.store = store;
    this.go = go;
    this.deleting = deleting;
    this.notice = new Notice();
    this.chosen = [];
    this.shown = [];
    this.choices = new Choices(store);
    this.curves = new Curves(store);
    const actions = this._actions();
    this.wall = new Wall(store, actions, signal);
    this.table = new ResultTable(store, actions, this.curves);
    this.viewer = new Viewer(store, { ...actions, begin, settings }, this.curves);
    this.viewer.closed = (id) => this.wall.card(id)?.open.focus();
    this.playback = new Playback(() => this._playing());
    this.wall.el.addEventListener("wb-ready", () => {
      this.playback.startOnce();
      this.playback.join();
    });
    this.keys = new WallKeys(this.wall, { order: () => this.shown.map((job) => job.job_id), acts: this._keys() });
    this.tools = new ResultTools(store, this.choices);
    this.compare = button("Compare", { icon: "columns", title: "Choose two or four videos", onclick: () => compare(this.chosen) });
    this.best = button("Best of…", { icon: "spark", title: "Render many drafts of the current prompt, and the best of them whole", onclick: () => bestOf() });
    this.tagging = new Tagging(store, () => this.chosen);
    this.drop = button("Delete", { icon: "trash", onclick: () => deleting.videos(this._meant()) });
    this.retry = button("Try failed again", { icon: "redo", onclick: () => this.notice.guard(() => store.call("retry_failed", {}, "retry_failed")) });
    this.zip = new ZipDownload(store, this.notice);
    this.el = this._section();
  }

  _section() {
    this.summary = h("p", { class: "wb-quiet" });
    this.title = h("h2", { tabindex: -1, text: "Results" });
    this.nothing = h("p");
    this.empty = h("div", { class: "wb-empty" }, this.nothing);
    const main = h("div", { class: "wb-row wb-head-main" }, this.retry, this.tagging.el, this.drop, this.best, this.compare, this.zip.el);
    const words = h("div", { class: "wb-head-words" }, this.title, this.summary);
    const tools = h("div", { class: "wb-tools" }, this.playback.el, this.tools.els);
    return h("section", { class: "wb-step wb-step-results" }, h("header", { class: "wb-head" }, words, main, tools), this.notice.el, this.wall.el, this.table.el, this.empty, this.viewer.el);
  }

  /** The actions on one video, on a card, in a row and in the large view. */
  _actions() {
    const { store } = this;
    const guard = (work) => this.notice.guard(work);
    const use = (index) => {
      store.set({ current: index });
      this.go(3);
    };
    return {
      use,
      choose: (id, upToIt) => this._choose(id, upToIt),
      drop: (job) => this.deleting.videos([job]),
      open: (id) => this.viewer.open(id, this.shown.map((job) => job.job_id), this.ranges),
      star: (job) => guard(() => store.callAhead("star", { job: job.job_id, on: !job.starred }, job.job_id, { starred: !job.starred })),
      check: (job) => guard(() => store.call("check", { job: job.job_id }, `check ${job.job_id}`)),
      tune: (job) => {
        store.set({ wish: { text: job.checks.request } });
        use(job.entry_index);
      },
      again: (job) => guard(() => store.call("render", { index: job.entry_index, options: { seed: drawnSeed() } }, `again ${job.job_id}`)),
    };
  }

  /** Show a video in the large view, regardless of the filters. */
  open(id) {
    const ids = this.shown.map((job) => job.job_id);
    this.viewer.open(id, ids.includes(id) ? ids : [id, ...ids], this.ranges);
  }

  _keys() {
    const { actions } = this.wall;
    const has = (card) => card.job.entry_index !== null;
    return {
      p: () => this.playback.toggle(),
      ",": ({ job }) => this.playback.frames(-1, job.fps || 24),
      ".": ({ job }) => this.playback.frames(1, job.fps || 24),
      c: ({ job }) => isComplete(job) && actions.choose(job.job_id),
      v: () => this.compare.disabled || this.compare.click(),
      s: ({ job }) => actions.star(job),
      delete: ({ job }) => job.state !== "running" && actions.drop(job),
      u: (card) => has(card) && actions.use(card.job.entry_index),
      r: (card) => has(card) && actions.again(card.job),
    };
  }

  update() {
    const { store } = this;
    const all = store.renders;
    const changed = this.choices.update(all);
    const shown = this.choices.chosen();
    this.shown = shown;
    this.chosen = this.chosen.filter((id) => isComplete(store.jobs[id]));
    if (changed) this._setRanges(rangesOf(all));
    this.tools.update(changed);
    this._draw(shown);
    this._tell(all);
    this.tagging.update();
    show(this.best, store.entries.length > 0);
    put(this.nothing, all.length ? "Nothing matches; clear the filters to see the others." : "Nothing here yet. Videos appear as soon as one is rendered.");
    show(this.empty, !shown.length);
    if (changed) this.playback.join();
    this.viewer.update(this.ranges);
  }

  /** Show the videos on the wall or in the table; the other one is idle. */
  _draw(shown) {
    const { sort, layout, size } = this.store.view;
    const isWall = layout !== "table";
    const order = new Map(this.chosen.map((id, place) => [id, place]));
    const facts = (job) => ({ chosen: order.get(job.job_id) ?? -1, ranges: this.ranges, sort });
    const groups = this.choices.grouped(shown);
    show(this.wall.el, isWall && shown.length > 0);
    show(this.table.el, !isWall && shown.length > 0);
    if (!isWall) this.leave(); // the wall plays again when it is shown
    show(this.playback.el, isWall); // after it has stopped, which draws it
    if (!isWall) {
      return this.table.update(groups, facts);
    }
    return this.wall.update(groups, facts, { size, columns: sort === "grid" ? seedColumns(shown) : null });
  }

  _tell(all) {
    const { store } = this;
    const count = (state) => all.filter((job) => job.state === state).length;
    const done = count("complete");
    const [failed, cancelled] = [count("failed"), count("cancelled")];
    const working = all.filter((job) => !hasEnded(job)).length;
    const left = secondsLeft(all);
    const told = [plural(done, "video"), this.shown.length < all.length ? `${this.shown.length} shown` : "", working ? `${working} in progress` : "", left ? `about ${duration(left)} left` : "", failed ? `${failed} failed` : "", cancelled ? `${cancelled} cancelled` : "", this.chosen.length ? `${this.chosen.length} chosen` : ""];
    put(this.summary, told.filter(Boolean).join(", "));
    show(this.retry, failed > 0);
    attribute(this.retry, "disabled", store.busy("retry_failed"));
    put(this.retry.lastChild, `Try ${failed} failed again`);
    attribute(this.compare, "disabled", !COMPARED.includes(this.chosen.length));
    put(this.compare.lastChild, COMPARED.includes(this.chosen.length) ? `Compare ${this.chosen.length}` : "Compare");
    const meant = this._meant();
    show(this.drop, meant.length > 0);
    put(this.drop.lastChild, this.chosen.length ? `Delete ${meant.length} chosen` : `Delete these ${meant.length}`);
    this.zip.update(this.chosen.map((id) => store.jobs[id]));
  }

  /** Keep the same ranges object if nothing changed, so that no card is redrawn. */
  _setRanges(ranges) {
    if (JSON.stringify(ranges) !== JSON.stringify(this.ranges)) this.ranges = ranges;
  }

  /** What a bulk delete is about: the chosen, or all that a filter leaves. */
  _meant() {
    if (this.chosen.length) return this.chosen.map((id) => this.store.jobs[id]);
    return isFiltered(this.store.view) ? this.shown : [];
  }

  /** On leaving the step, stop all videos. */
  leave() {
    this.playback.stop();
    this.playback.started = false;
    this.wall.rest();
  }

  _playing() {
    return this.wall.players.filter((player) => player.seen && player.loaded && isComplete(player.job)).map((player) => player.video);
  }

  /** Choose or unchoose a video; `upToIt` chooses the range from the last chosen one. */
  _choose(id, upToIt = false) {
    const ids = this.shown.filter((job) => isComplete(job)).map((job) => job.job_id);
    const [from, to] = [ids.indexOf(this.chosen[this.chosen.length - 1]), ids.indexOf(id)];
    if (upToIt && from >= 0 && to >= 0) {
      const range = ids.slice(Math.min(from, to), Math.max(from, to) + 1);
      this.chosen = [...new Set([...this.chosen, ...range])];
    } else if (this.chosen.includes(id)) this.chosen = this.chosen.filter((one) => one !== id);
    else this.chosen = [...this.chosen, id];
    this.store.call("select", { jobs: this.chosen }).catch(() => {});
    this.store.emit();
  }
}

/** Prompts by seeds: a row for each prompt, a column for each seed, where all have as many. */
function seedColumns(shown) {
  const counts = new Map();
  for (const job of shown) counts.set(job.entry_index, (counts.get(job.entry_index) ?? 0) + 1);
  const [columns = 1, ...others] = new Set(counts.values());
  return columns > 1 && !others.length ? columns : null;
}
