// One line on whether a video shows what was asked for; missing things become a tuning request.

import { attribute, button, h, put, show } from "./dom.js";
import { isComplete } from "./job.js";

const SEEN = {
  video: (model) => `${model} watched the video.`,
  pictures: (model) => `${model} looked at frames of the video.`,
};

export class CheckLine {
  /** `check(job)` checks the video; `tune(job)` asks for what is missing in the conversation. */
  constructor(store, { check, tune }) {
    this.store = store;
    this.check = button("Check", { kind: "small", title: "Check whether it shows what was asked for", onclick: () => check(this.job) });
    this.told = h("span");
    this.missing = h("button", { type: "button", class: "wb-link", title: "Ask for what is missing", onclick: () => tune(this.job) });
    this.el = h("p", { class: "wb-check" }, this.told, this.missing, this.check);
  }

  update(job) {
    this.job = job;
    const { checks } = job;
    show(this.el, isComplete(job));
    const count = checks ? `${checks.found} of ${checks.asked_for} asked for` : "";
    const unknown = checks?.unknown ? `, ${checks.unknown} unknown` : "";
    put(this.told, count + unknown);
    attribute(this.told, "title", checks?.problem || SEEN[checks?.looked_at]?.(checks.model) || null);
    const lacks = checks?.missing.length > 0;
    show(this.missing, lacks && job.entry_index !== null);
    put(this.missing, lacks ? `missing: ${checks.missing.join(", ")}` : "");
    attribute(this.check, "disabled", this.store.busy(`check ${job.job_id}`));
    put(this.check, checks ? "Check again" : "Check");
    show(this.check, !checks || checks.unknown > 0);
  }
}
