// A note on a video, saved when the field loses the focus.

import { h, put, show } from "./dom.js";
import { isComplete } from "./job.js";
import { Notice } from "./notice.js";

const TOLD_MS = 1600;

export class Note {
  constructor(store) {
    this.store = store;
    this.notice = new Notice();
    this.said = h("span", { class: "wb-quiet", role: "status" });
    this.area = h("textarea", {
      rows: 2,
      maxlength: 4000,
      placeholder: "What to remember about this video",
      onchange: () => this._save(),
      onkeydown: (event) => this._key(event),
    });
    this.el = h("div", { class: "wb-note" }, h("label", {}, h("span", { class: "wb-quiet", text: "Note on this video" }), this.area), this.said, this.notice.el);
  }

  update(job) {
    show(this.el, isComplete(job));
    const another = job.job_id !== this.job?.job_id;
    this.job = job;
    if (another || document.activeElement !== this.area) this.area.value = job.note ?? "";
  }

  _key(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.area.blur(); // saves it
  }

  async _save() {
    const args = { job: this.job.job_id, text: this.area.value };
    await this.notice.guard(async () => {
      await this.store.call("note", args);
      put(this.said, "Saved.");
      setTimeout(() => put(this.said, ""), TOLD_MS);
    });
  }
}
