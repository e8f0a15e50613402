// A render's state in one line: what it does, how far it is, who has it, and how to end it.

import { attribute, button, h, put, show } from "./dom.js";
import { Notice } from "./notice.js";
import { deviceWords, join, jobWords } from "./words.js";

export class JobLine {
  constructor(store, { compact = false } = {}) {
    this.store = store;
    this.bar = h("progress", { max: 100, "aria-label": "Progress of the render" });
    this.state = h("span", { class: "wb-job-state" });
    this.device = h("span", { class: "wb-job-device" });
    this.cancel = button("Cancel this render", {
      icon: "stop",
      bare: true,
      onclick: () => this._ask("cancel"),
    });
    this.retry = button("Try again", { icon: "redo", kind: "small", onclick: () => this._ask("retry") });
    this.notice = new Notice();
    this.el = h(
      "div",
      { class: `wb-job${compact ? " wb-compact" : ""}` },
      this.bar,
      h("div", { class: "wb-job-words" }, this.state, this.device, this.retry, this.cancel),
      this.notice.el,
    );
  }

  update(job) {
    show(this.el, Boolean(job));
    this.job = job;
    if (!job) return;
    const running = job.state === "running";
    show(this.bar, running);
    if (running && job.progress > 0) this.bar.value = job.progress;
    else this.bar.removeAttribute("value");
    attribute(this.el, "data-state", job.state);
    const again = job.attempt > 1 && !job.final ? `attempt ${job.attempt}` : "";
    put(this.state, join(jobWords(job), again));
    put(this.device, deviceWords(job, this.store.devices));
    show(this.cancel, !job.final);
    show(this.retry, job.state === "failed" || job.state === "cancelled");
  }

  _ask(name) {
    const { job } = this;
    this.notice.guard(() => this.store.call(name, { job: job.id }, `${name} ${job.id}`));
  }
}
