// Best of N: many drafts of one prompt, judged, and the best rendered whole; people vote between two.

import { BestOfForm } from "./best_of_form.js";
import { BestOfReport } from "./best_of_report.js";
import { attribute, button, h, put, show } from "./dom.js";
import { Notice } from "./notice.js";
import { currentIndex } from "./places.js";
import { VotePair } from "./vote_pair.js";
import { capital, duration, join, moment } from "./words.js";

const LOOK_MS = 1000;

export class BestOf {
  constructor(store) {
    this.store = store;
    this.notice = new Notice();
    this.run = null;
    this.form = new BestOfForm(store, (args) => this._begin(args));
    this.report = new BestOfReport(store);
    this.pair = new VotePair(store, (vote) => this._ask("best_of_vote", vote));
    this.runs = h("select", { "aria-label": "Run", onchange: () => this._choose(this.runs.value) });
    this.stage = h("p", { class: "wb-best-stage", role: "status" });
    this.facts = h("p", { class: "wb-quiet" });
    this.bar = h("progress", { max: 1, "aria-label": "Progress of the run" });
    this.cancel = button("Cancel the run", { icon: "stop", kind: "small", onclick: () => this._ask("best_of_cancel") });
    this.goOn = button("Resume", { icon: "play", kind: "small", title: "Resume the run where it stopped", onclick: () => this._ask("best_of_go_on") });
    this.now = h("section", { class: "wb-best-now", "aria-label": "The run" }, h("div", { class: "wb-row wb-best-line" }, h("div", {}, this.stage, this.facts), this.goOn, this.cancel), this.bar);
    this.el = h(
      "dialog",
      { class: "wb-dialog wb-best", tabindex: -1, "aria-label": "Best of", onclose: () => this._closed(), onkeydown: (event) => this.pair.key(event) },
      h("div", { class: "wb-dialog-head" }, h("h2", { text: "Best of" }), this.runs, button("Close", { icon: "close", bare: true, onclick: () => this.el.close() })),
      this.notice.el,
      this.form.el,
      this.now,
      this.pair.el,
      this.report.el,
    );
  }

  /** Open with the newest run of the session, or with the form if there is none. */
  async open() {
    this.el.showModal();
    this._show(null);
    this.form.update(this.store.entry(currentIndex(this.store)));
    await this.notice.guard(async () => {
      const [choices] = await Promise.all([this.store.call("best_of_choices"), this._list()]);
      this.form.offer(choices);
      const [newest] = this.known;
      if (newest && !newest.done) await this._choose(newest.name);
    });
  }

  async _list() {
    this.known = (await this.store.call("best_of_runs")) ?? [];
    const line = ({ name, n, planned_at: at }) => h("option", { value: name, text: `Best of ${n}, ${moment(Date.parse(at) / 1000)}` });
    this.runs.replaceChildren(h("option", { value: "", text: "New run" }), ...this.known.map(line));
    this.runs.value = this.run?.name ?? "";
    show(this.runs, this.known.length > 0);
  }

  async _begin(args) {
    await this.notice.guard(async () => {
      const run = await this.store.call("best_of_begin", { index: currentIndex(this.store), ...args }, "best_of");
      if (!run) return;
      this._show(run);
      await this._list();
      this._watch();
    });
    this.form.update(this.store.entry(currentIndex(this.store)));
  }

  async _choose(name) {
    clearTimeout(this.timer);
    if (!name) return this._show(null);
    this._show(await this.store.call("best_of_run", { name }));
    return this._watch();
  }

  /** Poll every second while the run is active. */
  _watch() {
    clearTimeout(this.timer);
    const { run } = this;
    if (!this.el.open || !run || run.state !== "running") return;
    this.timer = setTimeout(async () => {
      const seen = await this.store.call("best_of_run", { name: run.name }).catch(() => null);
      if (this.run?.name === run.name && seen) this._show(seen);
      this._watch();
    }, LOOK_MS);
  }

  async _ask(name, args = {}) {
    const { run } = this;
    const seen = await this.notice.guard(() => this.store.call(name, { name: run.name, ...args }, `${name} ${run.name}`));
    if (seen && this.run?.name === run.name) this._show(seen);
    this._watch();
  }

  _show(run) {
    this.run = run;
    this.runs.value = run?.name ?? "";
    show(this.form.el, !run);
    for (const part of [this.now, this.report.el]) show(part, Boolean(run));
    this.pair.update(run);
    if (!run) return;
    put(this.stage, stageWords(run));
    put(this.facts, join(spentWords(run), run.note && run.state === "done" ? run.note : ""));
    const atWork = run.state === "running";
    show(this.bar, atWork);
    if (run.renders) attribute(this.bar, "value", run.ended / run.renders);
    show(this.cancel, atWork || run.state === "waiting");
    show(this.goOn, run.state === "waiting");
    this.report.update(run);
    if (this.el.open && !this.el.contains(document.activeElement)) this.el.focus(); // the focused element is gone, and keys vote
  }

  _closed() {
    clearTimeout(this.timer);
    this._show(null); // its players pause
  }
}

function stageWords(run) {
  if (run.state === "done") return run.winners.length ? "Done" : "Done, but no draft could be rendered whole";
  if (run.state === "cancelled") return "Cancelled; finished renders are kept";
  if (!run.stage) return "Starting";
  const told = `${capital(run.stage)}: ${run.ended} of ${run.renders} rendered`;
  return run.state === "waiting" ? `Stopped at ${told}` : told;
}

function spentWords({ spent_s: spent, budget_s: budget }) {
  if (!spent) return budget ? `budget ${duration(budget)}` : "";
  return `${duration(spent)} of render time${budget ? ` of ${duration(budget)}` : ""}`;
}
