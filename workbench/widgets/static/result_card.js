// One video of the results: its caption, its prompt, its facts and its actions.

import { CheckLine } from "./check_line.js";
import { attribute, button, h, icon, put, show } from "./dom.js";
import { factsLine, factsRows } from "./facts.js";
import { isComplete } from "./job.js";
import { download, Player } from "./media.js";
import { numberOf } from "./places.js";
import { JobLine } from "./progress.js";
import { ScoreList } from "./scores.js";

export class ResultCard {
  /** `actions`: star(job), choose(id, upToIt), use(index), again(job), open(id), drop(job), check(job), tune(job). */
  constructor(store, actions) {
    this.store = store;
    this.player = new Player(store, { auto: false });
    this.line = null; // made when it is needed
    this.star = button("Star", { icon: "star", bare: true, kind: "star", onclick: () => actions.star(this.job) });
    this.box = h("input", { type: "checkbox", onclick: (event) => actions.choose(this.job.job_id, event.shiftKey) });
    this.order = h("span");
    this.pick = h("label", { class: "wb-pick", title: "Choose; Shift-click chooses a range" }, this.box, this.order);
    this.hint = h("span", { class: "wb-result-hint", "aria-hidden": "true" });
    this.open = h("button", { type: "button", class: "wb-result-open", onclick: () => actions.open(this.job.job_id) });
    this.number = h("span", { class: "wb-badge wb-result-number" });
    this.caption = h("span");
    this.scores = new ScoreList();
    this.checks = new CheckLine(store, actions);
    this.note = h("p", { class: "wb-result-note" });
    this.duplicate = h("span", { class: "wb-badge", text: "looks like another", title: "Another video of this batch looks the same" });
    this.text = h("p", { class: "wb-card-text" });
    this.facts = h("dl", { class: "wb-facts" });
    this.details = h("details", { class: "wb-result-details", ontoggle: () => this._facts() }, h("summary", { text: "How it was made" }), this.facts);
    this.use = button("Use this prompt", { kind: "small", onclick: () => actions.use(this.job.entry_index) });
    this.again = button("Again, another seed", { icon: "shuffle", bare: true, title: "Render again with another seed", onclick: () => actions.again(this.job) });
    this.drop = button("Delete this video", { icon: "trash", bare: true, onclick: () => actions.drop(this.job) });
    this.video = h("a", { class: "wb-button wb-bare", "aria-label": "Download the video", title: "Download the video", download: "" }, icon("download"));
    this.recipe = h("a", { class: "wb-link", text: "Recipe", download: "" });
    this.media = h("div", { class: "wb-card-media" }, this.player.el, this.open, this.hint, this.pick, this.star);
    this.el = h(
      "article",
      { class: "wb-card wb-result", role: "listitem" },
      this.media,
      h("div", { class: "wb-card-body" }, h("h3", { class: "wb-result-caption" }, this.number, this.caption), this.duplicate, this.text, this.checks.el, this.scores.el, this.note, this.details),
      h("div", { class: "wb-card-foot" }, this.use, h("span", { class: "wb-row wb-tight" }, this.again, this.video, this.recipe, this.drop)),
    );
  }

  /** Show a video; a card is reused for others. */
  update({ job, chosen, ranges, sort, place, of }) {
    const changed = job !== this.job;
    if (job.job_id !== this.job?.job_id) this.details.open = false;
    this.job = job;
    this.place = place;
    attribute(this.el, "aria-posinset", place);
    attribute(this.el, "aria-setsize", of);
    attribute(this.el, "data-chosen", chosen >= 0);
    this.box.checked = chosen >= 0;
    put(this.order, chosen >= 0 ? String(chosen + 1) : "");
    if (changed || ranges !== this.ranges || sort !== this.sort) this.scores.update(job, ranges, sort);
    this.ranges = ranges;
    this.sort = sort;
    const number = numberOf(this.store, job.entry_index);
    put(this.number, number);
    show(this.number, number !== "");
    this._line(job);
    this.player.update(job);
    this.checks.update(job);
    if (changed) this._show(job);
  }

  _show(job) {
    put(this.caption, job.caption);
    put(this.text, job.prompt);
    attribute(this.text, "title", job.prompt);
    put(this.hint, factsLine(job));
    put(this.note, job.note);
    show(this.note, Boolean(job.note));
    show(this.duplicate, Boolean(job.near_duplicates?.length));
    attribute(this.open, "aria-label", `View: ${job.caption}. ${factsLine(job)}`);
    attribute(this.box, "aria-label", `Choose ${job.caption}`);
    show(this.pick, isComplete(job));
    attribute(this.star, "aria-pressed", String(job.starred));
    attribute(this.star, "aria-label", job.starred ? "Unstar" : "Star");
    show(this.drop, job.state !== "running");
    show(this.use, job.entry_index !== null);
    show(this.again, job.entry_index !== null);
    for (const [node, name] of [[this.video, "video.mp4"], [this.recipe, "recipe.json"]]) {
      show(node, isComplete(job));
      attribute(node, "href", isComplete(job) ? download(job, name) : null);
    }
    if (this.details.open) this._facts();
  }

  /** The progress of an unfinished render. */
  _line(job) {
    if (!isComplete(job) && !this.line) {
      this.line = new JobLine(this.store, { compact: true });
      this.media.after(this.line.el);
    }
    if (!isComplete(job)) this.line.update(job);
    if (this.line) show(this.line.el, !isComplete(job));
  }

  dispose() {
    this.player.dispose();
  }

  _facts() {
    this.facts.replaceChildren(...factsRows(this.job));
  }
}
