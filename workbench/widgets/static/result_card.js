// One video of the results: its prompt, its facts and its actions.

import { ChangeList, changesOf } from "./changes.js";
import { CheckLine } from "./check_line.js";
import { attribute, button, h, icon, put, show } from "./dom.js";
import { factsLine, factsRows } from "./facts.js";
import { isComplete } from "./job.js";
import { download, Player } from "./media.js";
import { Notice } from "./notice.js";
import { JobLine } from "./progress.js";
import { ScoreList } from "./scores.js";
import { drawnSeed } from "./settings.js";

export class ResultCard {
  constructor(store, { choose, use, open, drop, tune }) {
    this.store = store;
    this.player = new Player(store, { auto: false });
    this.line = new JobLine(store, { compact: true });
    this.notice = new Notice();
    this.star = button("Star", { icon: "star", bare: true, kind: "star", onclick: () => this.toggleStar() });
    this.box = h("input", { type: "checkbox", onchange: () => choose(this.job.job_id) });
    this.order = h("span");
    this.pick = h("label", { class: "wb-pick", title: "Choose to compare" }, this.box, this.order);
    this.hint = h("span", { class: "wb-result-hint", "aria-hidden": "true" });
    this.open = h("button", { type: "button", class: "wb-result-open", onclick: () => open(this.job.job_id) });
    this.changes = new ChangeList();
    this.scores = new ScoreList();
    this.checks = new CheckLine(store, { ask: (name, args) => this._ask(name, args), tune });
    this.note = h("p", { class: "wb-result-note" });
    this.duplicate = h("span", { class: "wb-badge", text: "looks like another", title: "Another video of this batch looks the same" });
    this.text = h("p", { class: "wb-card-text" });
    this.facts = h("dl", { class: "wb-facts" });
    this.details = h("details", { class: "wb-result-details", ontoggle: () => this._facts() }, h("summary", { text: "How it was made" }), this.facts);
    this.use = button("Use this prompt", { kind: "small", onclick: () => use(this.job.entry_index) });
    this.again = button("Again, another seed", { icon: "shuffle", bare: true, title: "Render again with another seed", onclick: () => this.renderAgain() });
    this.drop = button("Delete this video", { icon: "trash", bare: true, onclick: () => drop(this.job) });
    this.video = h("a", { class: "wb-button wb-bare", "aria-label": "Download the video", title: "Download the video" }, icon("download"));
    this.recipe = h("a", { class: "wb-link", text: "Recipe" });
    this.el = h(
      "article",
      { class: "wb-card wb-result", role: "listitem" },
      h("div", { class: "wb-card-media" }, this.player.el, this.open, this.hint, this.pick, this.star),
      this.line.el,
      h("div", { class: "wb-card-body" }, this.duplicate, this.changes.el, this.text, this.checks.el, this.scores.el, this.note, this.details, this.notice.el),
      h("div", { class: "wb-card-foot" }, this.use, h("span", { class: "wb-row wb-tight" }, this.again, this.video, this.recipe, this.drop)),
    );
  }

  update({ job, chosen, ranges, sort }) {
    const changed = job !== this.job;
    this.job = job;
    this.box.checked = chosen >= 0;
    put(this.order, chosen >= 0 ? String(chosen + 1) : "");
    attribute(this.el, "data-chosen", chosen >= 0);
    if (changed || ranges !== this.ranges || sort !== this.sort) this.scores.update(job, ranges, sort);
    this.ranges = ranges;
    this.sort = sort;
    if (!isComplete(job)) this.line.update(job);
    show(this.line.el, !isComplete(job));
    this.player.update(job);
    this.checks.update(job);
    if (!changed) return;
    put(this.text, job.prompt);
    attribute(this.text, "title", job.prompt);
    this.changes.update(changesOf(this.store.entry(job.entry_index)));
    put(this.hint, factsLine(job));
    put(this.note, job.note);
    show(this.note, Boolean(job.note));
    show(this.duplicate, Boolean(job.near_duplicates?.length));
    const about = job.prompt.slice(0, 60);
    attribute(this.open, "aria-label", `View: ${about}. ${factsLine(job)}`);
    attribute(this.box, "aria-label", `Choose to compare: ${about}`);
    show(this.pick, isComplete(job));
    attribute(this.star, "aria-pressed", String(job.starred));
    attribute(this.star, "aria-label", job.starred ? "Unstar" : "Star");
    show(this.drop, job.state !== "running");
    show(this.use, job.entry_index !== null);
    show(this.again, job.entry_index !== null);
    for (const node of [this.video, this.recipe]) show(node, isComplete(job));
    if (isComplete(job)) {
      attribute(this.video, "href", download(job, "video.mp4"));
      attribute(this.video, "download", "");
      attribute(this.recipe, "href", download(job, "recipe.json"));
      attribute(this.recipe, "download", "");
    }
    if (this.details.open) this._facts();
  }

  dispose() {
    this.player.dispose();
  }

  toggleStar() {
    return this._ask("star", { job: this.job.job_id, on: !this.job.starred });
  }

  renderAgain() {
    return this._ask("render", { index: this.job.entry_index, options: { seed: drawnSeed() } });
  }

  _facts() {
    this.facts.replaceChildren(...factsRows(this.job));
  }

  _ask(name, args) {
    return this.notice.guard(() => this.store.call(name, args, `${name} ${this.job.job_id}`));
  }
}
