// One video of the results: its prompt, how it was made, and what can be done with it.

import { attribute, button, h, put, show } from "./dom.js";
import { download, Player } from "./media.js";
import { Notice } from "./notice.js";
import { JobLine } from "./progress.js";
import { deviceName } from "./words.js";

export class ResultCard {
  constructor(store, { choose, use }) {
    this.store = store;
    this.player = new Player(store, { auto: false });
    this.line = new JobLine(store, { compact: true });
    this.notice = new Notice();
    this.star = button("Star", { icon: "star", bare: true, kind: "star", onclick: () => this._ask("star", { job: this.job.id, on: !this.job.starred }) });
    this.box = h("input", { type: "checkbox", onchange: () => choose(this.job.id) });
    this.order = h("span");
    this.pick = h("label", { class: "wb-pick", title: "Choose to compare" }, this.box, this.order);
    this.words = h("p", { class: "wb-result-changes" });
    this.text = h("p", { class: "wb-card-text" });
    this.facts = h("dl", { class: "wb-facts" });
    this.details = h("details", { class: "wb-result-details", ontoggle: () => this._facts() }, h("summary", { text: "How it was made" }), this.facts);
    this.use = button("Use this prompt", { kind: "small", onclick: () => use(this.job.entry) });
    this.again = button("Again, another seed", { icon: "shuffle", bare: true, title: "Render again with another seed", onclick: () => this._again() });
    this.video = h("a", { class: "wb-button wb-bare", "aria-label": "Download the video", title: "Download the video" });
    this.recipe = h("a", { class: "wb-link", text: "Recipe" });
    this.video.append(button("x", { icon: "download", bare: true }).firstChild);
    this.el = h(
      "article",
      { class: "wb-card wb-result", role: "listitem", onmouseenter: () => this._facts() },
      h("div", { class: "wb-card-media" }, this.player.el, this.pick, this.star),
      this.line.el,
      h("div", { class: "wb-card-body" }, this.words, this.text, this.details, this.notice.el),
      h("div", { class: "wb-card-foot" }, this.use, h("span", { class: "wb-row wb-tight" }, this.again, this.video, this.recipe)),
    );
  }

  update({ job, chosen }) {
    const changed = job !== this.job;
    this.job = job;
    this.player.update(job);
    this.box.checked = chosen >= 0;
    put(this.order, chosen >= 0 ? String(chosen + 1) : "");
    attribute(this.el, "data-chosen", chosen >= 0);
    if (!changed) return;
    this.line.update(job);
    show(this.line.el, !job.complete);
    put(this.text, job.prompt);
    attribute(this.text, "title", job.prompt);
    const entry = this.store.entry(job.entry);
    const told = entry && ["variation", "tuned", "given"].includes(entry.kind) ? entry.changes.map((c) => c.sentence).join(", ") : "";
    put(this.words, told);
    show(this.words, told !== "");
    attribute(this.box, "aria-label", `Choose to compare: ${job.prompt.slice(0, 60)}`);
    show(this.pick, job.complete);
    attribute(this.star, "aria-pressed", String(job.starred));
    attribute(this.star, "aria-label", job.starred ? "Unstar" : "Star");
    show(this.use, job.entry !== null);
    show(this.again, job.entry !== null);
    for (const node of [this.video, this.recipe]) show(node, job.complete);
    if (job.complete) {
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

  _facts() {
    const { job } = this;
    const facts = {
      Engine: job.model ? `${job.engine}, ${job.model}` : job.engine,
      Seed: job.seed,
      Size: job.size[0] ? `${job.size[0]} × ${job.size[1]}` : "",
      Length: job.frames ? `${job.frames} frames at ${job.fps} a second` : "",
      Device: job.device ? deviceName(job.device, job.gpu) : "",
      Id: job.id,
    };
    const rows = Object.entries(facts).filter(([, value]) => value);
    this.facts.replaceChildren(...rows.flatMap(([name, value]) => [h("dt", { text: name }), h("dd", { text: value })]));
    attribute(this.player.el, "title", rows.slice(0, 4).map(([name, value]) => `${name}: ${value}`).join("\n"));
  }

  _again() {
    const { seed, ...options } = this.store.view.options; // another seed is the point
    return this._ask("render", { index: this.job.entry, options });
  }

  _ask(name, args) {
    return this.notice.guard(() => this.store.call(name, args, `${name} ${this.job.id}`));
  }
}
