// Directs the chosen model with the storyboard that is shown: its channel as control, and its camera.

import { attribute, button, h, put, show } from "./dom.js";
import { isComplete } from "./job.js";

const KINDS = { depth: "by its depth", edges: "by its edges", segments: "by its segments", boxes: "by its boxes", flow: "by its flow", gray: "by its gray picture", camera: "by its camera path" };

export class DirectForm {
  /** `settings()` are the render settings of the page; `made(id)` is told the new job. */
  constructor(store, notice, { settings, made }) {
    this.store = store;
    this.notice = notice;
    this.settings = settings;
    this.made = made;
    this.kind = h("select", { "aria-label": "What of the storyboard the model follows" });
    this.start = button("Direct the model with this storyboard", { icon: "play", kind: "small", onclick: () => this._direct() });
    this.why = h("span", { class: "wb-quiet", id: "wb-direct-why" });
    this.el = h("div", { class: "wb-row wb-direct", role: "group", "aria-label": "Direct the model" }, this.start, this.kind, this.why);
    show(this.el, false);
  }

  update(job) {
    this.job = job;
    const { set, values } = this.settings();
    const asks = isComplete(job) && job.engine === "animatic" && (values.engine ?? "animatic") !== "animatic";
    const key = asks ? `${job.job_id} ${values.engine} ${JSON.stringify(set)}` : "";
    if (key === this.key) return;
    this.key = key;
    show(this.el, asks); // at once: a later row would move what is below under the pointer
    if (!asks) return;
    attribute(this.start, "aria-disabled", "true");
    for (const node of [this.kind, this.why]) show(node, false);
    this._look(key);
  }

  /** Ask what the chosen model follows. */
  async _look(key) {
    const args = { job: this.job.job_id, settings: this.settings().set };
    const found = await this.store.call("direction", args).catch((error) => ({ kinds: [], why_not: error.message }));
    if (key !== this.key || !found) return;
    this.kind.replaceChildren(...found.kinds.map((kind) => h("option", { value: kind, text: KINDS[kind] ?? kind })));
    put(this.why, found.why_not);
    show(this.why, found.why_not !== "");
    show(this.kind, found.kinds.length > 1);
    attribute(this.start, "aria-disabled", found.kinds.length ? null : "true");
    attribute(this.start, "aria-describedby", found.why_not ? this.why.id : null);
    show(this.el, found.kinds.length > 0 || found.why_not !== "");
  }

  async _direct() {
    if (this.start.getAttribute("aria-disabled")) return;
    const args = { job: this.job.job_id, kind: this.kind.value, settings: this.settings().set };
    const answer = await this.notice.guard(() => this.store.call("direct", args, `direct ${args.job}`));
    if (answer) this.made(answer.job);
  }
}
