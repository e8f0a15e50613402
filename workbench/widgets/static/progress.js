// A render's state in one line: stage, progress, device, and a cancel button.

import { attribute, button, h, put, show } from "./dom.js";
import { Failure } from "./failure.js";
import { hasEnded } from "./job.js";
import { Notice } from "./notice.js";
import { deviceWords, join, jobWords } from "./words.js";

const PRIORITIES = { interactive: "before batches", batch: "among batches", background: "when nothing else waits" };
const PRIORITY_NAMES = { 0: "background", 10: "batch", 20: "interactive" };

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
    this.first = button("Render next", {
      icon: "first",
      bare: compact,
      kind: "small",
      title: "Render this before the other waiting ones",
      onclick: () => this._ask("first"),
    });
    this.priority = h(
      "select",
      { "aria-label": "Priority of this render", onchange: () => this._ask("priority", { to: this.priority.value }) },
      Object.entries(PRIORITIES).map(([value, text]) => h("option", { value, text })),
    );
    this.retry = button("Try again", { icon: "redo", kind: "small", onclick: () => this._ask("retry") });
    this.failure = new Failure(store);
    this.notice = new Notice();
    this.el = h(
      "div",
      { class: `wb-job${compact ? " wb-compact" : ""}` },
      this.bar,
      h("div", { class: "wb-job-words" }, this.state, this.device, this.retry, compact ? null : this.priority, h("span", { class: "wb-row wb-tight wb-job-acts" }, this.first, this.cancel)),
      this.failure.el,
      this.notice.el,
    );
  }

  update(job) {
    const { devices, paused } = this.store;
    if (job === this.job && devices === this.devices && paused === this.paused) return;
    show(this.el, Boolean(job));
    Object.assign(this, { job, devices, paused });
    if (!job) return;
    const running = job.state === "running";
    const waiting = job.state === "queued";
    show(this.bar, running);
    attribute(this.bar, "value", running && job.progress > 0 ? job.progress : null);
    attribute(this.el, "data-state", job.state);
    const again = job.attempt > 1 && !hasEnded(job) ? `attempt ${job.attempt}` : "";
    put(this.state, join(jobWords(job, paused), again));
    put(this.device, deviceWords(job, devices));
    show(this.cancel, !hasEnded(job));
    show(this.first, waiting && job.queue_position !== 0);
    const priority = PRIORITY_NAMES[job.priority];
    show(this.priority, waiting && Boolean(priority));
    if (waiting && document.activeElement !== this.priority) this.priority.value = priority;
    this.failure.update(job);
    show(this.retry, job.state === "failed" || job.state === "cancelled");
  }

  _ask(name, args = {}) {
    const { job } = this;
    this.notice.guard(() => this.store.call(name, { job: job.job_id, ...args }, `${name} ${job.job_id}`));
  }
}
