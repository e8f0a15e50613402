// Step 4: every video with its prompt, played in sync.

import { attribute, button, h, Keyed, put, show } from "./dom.js";
import { secondsLeft } from "./estimate.js";
import { byAge, hasEnded, isComplete } from "./job.js";
import { baseUrl } from "./media.js";
import { Notice } from "./notice.js";
import { Playback } from "./playback.js";
import { ResultCard } from "./result_card.js";
import { rangesOf, SCORE_SORTS } from "./scores.js";
import { Viewer } from "./viewer.js";
import { WallKeys } from "./wall_keys.js";
import { duration, moment, plural } from "./words.js";

const SORTS = {
  newest: ["Newest first", (a, b) => Date.parse(b.created_at) - Date.parse(a.created_at) || a.position - b.position],
  order: ["Oldest first", byAge],
  grid: ["Prompts by seeds", (a, b) => (a.entry_index ?? -1) - (b.entry_index ?? -1) || a.position - b.position],
  done: ["Finished first", (a, b) => Number(isComplete(b)) - Number(isComplete(a)) || byAge(a, b)],
  prompt: ["By prompt", (a, b) => a.prompt.localeCompare(b.prompt)],
  starred: ["Starred first", (a, b) => Number(b.starred) - Number(a.starred) || byAge(a, b)],
  ...SCORE_SORTS,
};
const FILTERS = {
  all: ["All", (job) => job.state !== "cancelled"],
  complete: ["Finished", (job) => isComplete(job)],
  working: ["Working", (job) => !hasEnded(job)],
  failed: ["Without video", (job) => hasEnded(job) && !isComplete(job)],
  starred: ["Starred", (job) => job.starred],
  noted: ["With a note", (job) => Boolean(job.note)],
  distinct: ["Without look-alikes", (job) => !job.near_duplicates?.length],
};
const MOST = 4;
const SINGLE = "single";

export class ResultsStep {
  constructor(store, { go, compare, deleting, begin }) {
    this.store = store;
    this.notice = new Notice();
    this.chosen = [];
    this.grid = h("div", { class: "wb-grid wb-results", role: "list", "aria-label": "Videos" });
    const use = (index) => {
      store.set({ current: index });
      go(3);
    };
    const tune = (job) => {
      store.set({ wish: { text: job.checks.request } });
      use(job.entry_index);
    };
    const card = (job) => this.cards.parts.get(job.job_id);
    this.viewer = new Viewer(store, {
      star: (job) => card(job)?.toggleStar(),
      use: (job) => use(job.entry_index),
      again: (job) => card(job)?.renderAgain(),
      begin,
    });
    this.viewer.closed = (id) => this.cards.parts.get(id)?.open.focus({ preventScroll: true });
    this.cards = new Keyed(this.grid, (one) => one.job.job_id, () => new ResultCard(store, {
      use,
      tune,
      choose: (id) => this._choose(id),
      drop: (job) => deleting.videos([job]),
      open: (id) => this.viewer.open(id, this.shown.map((job) => job.job_id), this.ranges),
    }));
    this.keys = new WallKeys(this.grid, {
      cards: () => this.shown.map(card),
      acts: {
        p: () => this.playback.toggle(),
        c: (one) => isComplete(one.job) && this._choose(one.job.job_id),
        v: () => this.compare.disabled || this.compare.click(),
        s: (one) => one.toggleStar(),
        delete: (one) => one.job.state !== "running" && deleting.videos([one.job]),
        u: (one) => one.job.entry_index !== null && use(one.job.entry_index),
        r: (one) => one.job.entry_index !== null && one.renderAgain(),
      },
    });
    this.playback = new Playback(() => this._visible());
    this.grid.addEventListener("wb-ready", () => {
      this.playback.startOnce();
      this.playback.join();
    });
    this.sort = this._select("Sort", SORTS, "sort");
    this.filter = this._select("Show", FILTERS, "filter");
    this.compare = button("Compare", { icon: "columns", onclick: () => compare(this.chosen) });
    this.batch = h("select", { "aria-label": "Batch", onchange: () => store.set({ batch: this.batch.value }) });
    this.drop = button("Delete", { icon: "trash", onclick: () => deleting.videos(this._meant()) });
    this.retry = button("Try failed again", { icon: "redo", onclick: () => this._retry() });
    this.zip = button("Download all as ZIP", { icon: "download", onclick: () => this._zip() });
    this.batchLabel = h("label", { class: "wb-select" }, h("span", { class: "wb-quiet", text: "Batch" }), this.batch);
    this.summary = h("p", { class: "wb-quiet" });
    this.title = h("h2", { tabindex: -1, text: "Results" });
    this.empty = h("div", { class: "wb-empty" }, h("p", { text: "Nothing here yet. Videos appear as soon as one is rendered." }));
    this.el = h(
      "section",
      { class: "wb-step wb-step-results" },
      h("header", { class: "wb-head" }, h("div", { class: "wb-head-words" }, this.title, this.summary), h("div", { class: "wb-row wb-head-main" }, this.retry, this.compare, this.zip), h("div", { class: "wb-tools" }, this.playback.el, this.sort.el, this.filter.el, this.batchLabel, this.drop, this.keys.el)),
      this.notice.el,
      this.grid,
      this.empty,
      this.viewer.el,
    );
  }

  update() {
    const { store } = this;
    const { sort, filter } = store.view;
    const all = store.renders;
    const [, wanted] = FILTERS[filter] ?? FILTERS.all;
    const [, order] = SORTS[sort] ?? SORTS.newest;
    const batch = this._showBatches(all);
    const shown = all.filter((job) => wanted(job) && batch(job)).sort(order);
    const changed = all !== this.all;
    this._showColumns(sort, shown);
    this.all = all;
    this.shown = shown;
    this.chosen = this.chosen.filter((id) => isComplete(store.jobs[id]));
    const ranges = changed ? rangesOf(all) : this.ranges;
    if (JSON.stringify(ranges) !== JSON.stringify(this.ranges)) this.ranges = ranges; // otherwise keep all cards
    this.cards.update(shown.map((job) => ({ job, chosen: this.chosen.indexOf(job.job_id), ranges: this.ranges, sort })));
    const done = all.filter((job) => isComplete(job)).length;
    const working = all.filter((job) => !hasEnded(job)).length;
    const failed = all.filter((job) => job.state === "failed").length;
    show(this.retry, failed > 0);
    attribute(this.retry, "disabled", store.busy("retry_failed"));
    put(this.retry.lastChild, `Try ${failed} failed again`);
    const cancelled = all.filter((job) => job.state === "cancelled").length;
    const left = secondsLeft(all);
    const told = [plural(done, "video"), working ? `${working} on the way` : "", left ? `about ${duration(left)} left` : "", failed ? `${failed} failed` : "", cancelled ? `${cancelled} cancelled` : ""];
    put(this.summary, told.filter(Boolean).join(", "));
    put(this.empty.firstChild, all.length ? "Nothing matches; show all to see the others." : "Nothing here yet. Videos appear as soon as one is rendered.");
    show(this.empty, !shown.length);
    this.sort.node.value = sort;
    this.filter.node.value = filter;
    attribute(this.compare, "disabled", this.chosen.length !== 2 && this.chosen.length !== MOST);
    put(this.compare.lastChild, this.chosen.length ? `Compare ${this.chosen.length}` : "Compare");
    attribute(this.compare, "title", "Choose two or four videos");
    attribute(this.zip, "disabled", !done || store.busy("archive"));
    attribute(this.zip, "data-working", store.busy("archive"));
    const meant = this._meant();
    show(this.drop, meant.length > 0);
    put(this.drop.lastChild, this.chosen.length ? `Delete ${meant.length} chosen` : `Delete these ${meant.length}`);
    if (changed) this.playback.join();
    this.viewer.update(this.ranges);
  }

  /** Prompts by seeds: a row for each prompt, a column for each seed, where all have as many. */
  _showColumns(sort, shown) {
    const counts = new Map();
    for (const job of shown) counts.set(job.entry_index, (counts.get(job.entry_index) ?? 0) + 1);
    const [columns = 1, ...others] = new Set(counts.values());
    const even = sort === "grid" && columns > 1 && !others.length;
    attribute(this.grid, "data-columns", even ? columns : null);
    this.grid.style.setProperty("--wb-columns", columns);
  }

  /** What a bulk delete is about: the chosen, or all that a filter leaves. */
  _meant() {
    if (this.chosen.length) return this.chosen.map((id) => this.store.jobs[id]);
    const { filter, batch } = this.store.view;
    return filter !== "all" || batch ? this.shown : [];
  }

  /** Offer the batches of the session; return whether a job is of the one that is shown. */
  _showBatches(all) {
    const found = new Map();
    for (const job of all) {
      if (!job.batch_id) continue;
      const one = found.get(job.batch_id) ?? { count: 0, at: Date.parse(job.created_at) };
      found.set(job.batch_id, { ...one, count: one.count + 1 });
    }
    const key = [...found].map(([id, { count }]) => `${id} ${count}`).join();
    if (key !== this.batches) {
      this.batches = key;
      const choices = [...found].reverse().map(([id, { count, at }]) => h("option", { value: id, text: `batch of ${count}, ${moment(at / 1000)}` }));
      this.batch.replaceChildren(h("option", { value: "", text: "all batches" }), h("option", { value: SINGLE, text: "single takes" }), ...choices);
    }
    show(this.batchLabel, found.size > 0);
    const { batch } = this.store.view;
    const known = batch === SINGLE || found.has(batch) ? batch : "";
    this.batch.value = known;
    return (job) => !known || (known === SINGLE ? !job.batch_id : job.batch_id === known);
  }

  /** On leaving the step, stop all videos. */
  leave() {
    this.playback.stop();
    this.playback.started = false;
  }

  enter() {
    this.playback.startOnce();
  }

  _visible() {
    return [...this.cards.parts.values()]
      .map((card) => card.player)
      .filter((player) => player.seen && player.loaded && isComplete(player.job))
      .map((player) => player.video);
  }

  _retry() {
    this.notice.guard(() => this.store.call("retry_failed", {}, "retry_failed"));
  }

  _choose(id) {
    const at = this.chosen.indexOf(id);
    if (at >= 0) this.chosen.splice(at, 1);
    else this.chosen = [...this.chosen, id].slice(-MOST);
    this.store.call("select", { jobs: this.chosen }).catch(() => {});
    this.store.emit();
  }

  /** The server streams one batch; for anything else the kernel packs this session's videos. */
  async _zip() {
    const done = this.store.renders.filter((job) => isComplete(job));
    const [batch, ...others] = new Set(done.map((job) => job.batch_id));
    if (batch && !others.length && (await answers(`api/video/batch_download/${batch}`))) {
      save(`${baseUrl()}api/video/batch_download/${batch}`, "");
      return;
    }
    const jobs = done.map((job) => job.job_id);
    const bytes = await this.notice.guard(() => this.store.call("archive", { jobs }, "archive"));
    if (!bytes) return;
    const url = URL.createObjectURL(new Blob([bytes], { type: "application/zip" }));
    save(url, `videos_${this.store.session.id}.zip`);
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  _select(label, choices, name) {
    const options = Object.entries(choices).map(([value, [text]]) => h("option", { value, text }));
    const node = h("select", { onchange: () => this.store.set({ [name]: node.value }) }, options);
    return { node, el: h("label", { class: "wb-select" }, h("span", { class: "wb-quiet", text: label }), node) };
  }
}

/** Whether the server extension is there. */
async function answers(path) {
  try {
    return (await fetch(`${baseUrl()}${path}`, { method: "HEAD", credentials: "same-origin" })).status !== 404;
  } catch {
    return false;
  }
}

function save(url, name) {
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}
