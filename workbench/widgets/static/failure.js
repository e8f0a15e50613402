// Why a render has no video: one sentence first, then the engine's message and its log.

import { attribute, button, h, put, show } from "./dom.js";

const MOST = 180; // most characters of a reason on a card

/** Error patterns of engines and drivers, and their meaning for the user; the first match is shown. */
const REASONS = [
  [/out of memory|can't allocate memory|CUBLAS_STATUS_ALLOC/i, "Not enough memory on the device. Fewer frames, a smaller size or another profile need less."],
  [/device-side assert|CUDA error|illegal memory access|unspecified launch|cudnn|cublas/i, "The GPU reported an error. Try again; if it fails again, its log says where."],
  [/no space left|disk full/i, "The disk is full. Delete videos that are no longer needed, then try again."],
  [/died|killed|exit code|signal \d+/i, "The process that rendered it ended unexpectedly."],
];

/** One sentence for an error text. */
export function failureWords(error) {
  const text = (error ?? "").trim();
  const known = REASONS.find(([pattern]) => pattern.test(text));
  if (known) return known[1];
  const [first] = text.split(/\n|(?<=[.!?])\s/);
  return first.length > MOST ? `${first.slice(0, MOST).trimEnd()}…` : first;
}

export class Failure {
  constructor(store) {
    this.store = store;
    this.reason = h("p");
    this.full = h("pre", { tabindex: 0, "aria-label": "What the engine said" });
    this.log = h("pre", { tabindex: 0, "aria-label": "Log of this render", hidden: true });
    this.logButton = button("Show the log", { kind: "small", onclick: () => this._log() });
    this.details = h("details", {}, h("summary", { text: "Details" }), this.full, store.config.private ? null : this.logButton, this.log);
    this.el = h("div", { class: "wb-failure", hidden: true }, this.reason, this.details);
  }

  update(job) {
    const failed = job?.state === "failed";
    show(this.el, failed);
    if (!failed || job === this.job) return;
    if (job.job_id !== this.job?.job_id || job.attempt !== this.job?.attempt) show(this.log, false);
    this.job = job;
    put(this.reason, failureWords(job.error) || "No reason was given.");
    put(this.full, job.error);
    show(this.full, Boolean(job.error));
  }

  async _log() {
    attribute(this.logButton, "data-working", true);
    try {
      const text = await this.store.call("log", { job: this.job.job_id });
      put(this.log, text.trim() || "Nothing was printed.");
    } catch (error) {
      put(this.log, error.message);
    }
    attribute(this.logButton, "data-working", false);
    show(this.log, true);
    this.log.scrollTop = this.log.scrollHeight;
  }
}
