// Waiting, running and recently failed renders of all sessions, in order, to control one or many.

import { attribute, button, h, Keyed, put, show } from "./dom.js";
import { failureWords } from "./failure.js";
import { Notice } from "./notice.js";
import { clockTime, deviceName, duration, engineWords, join, plural } from "./words.js";

const LOOK_MS = 1000;
const PARTS = { running: "Rendering", queued: "Waiting", failed: "Failed recently" };
const PRIORITIES = { interactive: "before batches", batch: "among batches", background: "when nothing else waits" };

export class QueuePanel {
  constructor(store) {
    this.store = store;
    this.notice = new Notice();
    this.chosen = new Set();
    this.seen = { running: [], queued: [], failed: [], more: 0 };
    this.parts = Object.entries(PARTS).map(([state, title]) => new Part(this, state, title));
    this.all = h("input", { type: "checkbox", onchange: () => this._chooseAll() });
    this.cancel = button("Cancel", { icon: "stop", kind: "small", onclick: () => this._steer("cancel_queued", (job) => job.state !== "failed") });
    this.retry = button("Try again", { icon: "redo", kind: "small", onclick: () => this._steer("retry_queued", (job) => job.state === "failed") });
    this.priority = h(
      "select",
      { "aria-label": "Priority of the chosen renders", onchange: () => this._priority() },
      h("option", { value: "", text: "Priority…" }),
      Object.entries(PRIORITIES).map(([value, text]) => h("option", { value, text })),
    );
    this.none = h("p", { class: "wb-quiet", text: "No renders are waiting or running." });
    this.more = h("p", { class: "wb-quiet" });
    this.el = h(
      "dialog",
      { class: "wb-dialog wb-drawer wb-queue-panel", "aria-label": "Queue", onclose: () => clearTimeout(this.timer) },
      h("div", { class: "wb-dialog-head" }, h("h2", { text: "Queue" }), button("Close", { icon: "close", bare: true, onclick: () => this.el.close() })),
      h("div", { class: "wb-row wb-queue-tools" }, h("label", { class: "wb-check" }, this.all, "All"), this.cancel, this.retry, this.priority),
      this.notice.el,
      this.parts.map((part) => part.el),
      this.more,
      this.none,
    );
  }

  open() {
    this.el.showModal();
    return this._look();
  }

  choose(id, on) {
    if (on) this.chosen.add(id);
    else this.chosen.delete(id);
    this._update();
  }

  /** Move a waiting render before another, or up or down by one. */
  move(id, target) {
    const ids = this.seen.queued.map((job) => job.job_id);
    const from = ids.indexOf(id);
    const to = typeof target === "number" ? from + target : ids.indexOf(target);
    if (from < 0 || to < 0 || to >= ids.length || from === to) return;
    ids.splice(to, 0, ids.splice(from, 1)[0]);
    const byId = new Map(this.seen.queued.map((job) => [job.job_id, job]));
    this.seen.queued = ids.map((one) => byId.get(one));
    this._update();
    this._do("order_queued", { jobs: ids });
  }

  async _look() {
    clearTimeout(this.timer);
    if (!this.el.open) return;
    const seen = await this.store.call("queue", { known: this.store.known() }).catch(() => null);
    if (seen && !this.dragged) {
      this.seen = seen;
      this._update();
    }
    this.timer = setTimeout(() => this._look(), LOOK_MS);
  }

  _update() {
    const { seen, chosen } = this;
    const jobs = this._jobs();
    const known = new Set(jobs.map((job) => job.job_id));
    for (const id of chosen) if (!known.has(id)) chosen.delete(id);
    for (const part of this.parts) part.update(seen[part.state]);
    const picked = jobs.filter((job) => chosen.has(job.job_id));
    const failed = picked.filter((job) => job.state === "failed").length;
    attribute(this.cancel, "disabled", picked.length === failed);
    attribute(this.retry, "disabled", failed === 0);
    this.priority.disabled = !picked.some((job) => job.state === "queued");
    this.all.checked = jobs.length > 0 && picked.length === jobs.length;
    show(this.none, !jobs.length);
    put(this.more, seen.more ? `and ${seen.more} more` : "");
  }

  _jobs() {
    return [...this.seen.running, ...this.seen.queued, ...this.seen.failed];
  }

  _chooseAll() {
    this.chosen = new Set(this.all.checked ? this._jobs().map((job) => job.job_id) : []);
    this._update();
  }

  _steer(name, fits) {
    const jobs = this._jobs().filter((job) => this.chosen.has(job.job_id) && fits(job)).map((job) => job.job_id);
    return this._do(name, { jobs });
  }

  _priority() {
    const to = this.priority.value;
    this.priority.value = "";
    if (!to) return;
    const jobs = this.seen.queued.filter((job) => this.chosen.has(job.job_id)).map((job) => job.job_id);
    this._do("priority_queued", { jobs, to });
  }

  async _do(name, args) {
    await this.notice.guard(() => this.store.call(name, { ...args, known: this.store.known() }));
    await this._look();
  }
}

class Part {
  constructor(panel, state, title) {
    this.state = state;
    this.title = title;
    this.head = h("h3");
    this.rows = h("ol", { class: "wb-queue-list", "aria-label": title });
    this.list = new Keyed(this.rows, (job) => job.job_id, () => new Row(panel));
    this.el = h("section", {}, this.head, this.rows);
  }

  update(jobs) {
    put(this.head, `${this.title} (${jobs.length})`);
    show(this.el, jobs.length > 0);
    this.list.update(jobs);
  }
}

class Row {
  constructor(panel) {
    this.panel = panel;
    this.box = h("input", { type: "checkbox", onchange: () => panel.choose(this.job.job_id, this.box.checked) });
    this.prompt = h("strong");
    this.facts = h("span", { class: "wb-quiet" });
    this.bar = h("progress", { max: 100, "aria-label": "Progress of the render" });
    this.up = button("Earlier", { icon: "up", bare: true, onclick: () => panel.move(this.job.job_id, -1) });
    this.down = button("Later", { icon: "down", bare: true, onclick: () => panel.move(this.job.job_id, 1) });
    this.el = h(
      "li",
      {
        class: "wb-queue-row",
        ondragstart: (event) => this._drag(event),
        ondragend: () => (panel.dragged = null),
        ondragover: (event) => panel.dragged && this.job.state === "queued" && event.preventDefault(),
        ondrop: (event) => this._drop(event),
      },
      h("label", { class: "wb-queue-pick" }, this.box, h("span", {}, this.prompt, this.facts, this.bar)),
      h("span", { class: "wb-row wb-tight" }, this.up, this.down),
    );
  }

  update(job) {
    this.job = job;
    const waiting = job.state === "queued";
    this.box.checked = this.panel.chosen.has(job.job_id);
    put(this.prompt, job.prompt);
    attribute(this.prompt, "title", job.prompt);
    put(this.facts, factsOf(job));
    show(this.bar, job.state === "running");
    if (job.state === "running") this.bar.value = job.progress;
    attribute(this.el, "draggable", waiting ? "true" : null);
    for (const node of [this.up, this.down]) show(node, waiting);
  }

  _drag(event) {
    this.panel.dragged = this.job.job_id;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", this.job.job_id);
  }

  _drop(event) {
    const { dragged } = this.panel;
    this.panel.dragged = null;
    if (!dragged || this.job.state !== "queued") return;
    event.preventDefault();
    this.panel.move(dragged, this.job.job_id);
  }
}

function factsOf(job) {
  const by = engineWords(job.engine, job.model);
  if (job.state === "failed") return join(by, failureWords(job.error));
  if (job.state === "queued") return join(by, job.wait_s === null ? "" : `starts in about ${duration(Math.max(1, Math.round(job.wait_s)))}`);
  const since = job.started_at ? `since ${clockTime(new Date(job.started_at))}` : "";
  const left = job.eta_s ? `${duration(Math.max(1, Math.round(job.eta_s)))} left` : "";
  return join(by, job.device ? deviceName(job.device, job.gpu_id) : "", since, left);
}

/** "Queue (3)": the waiting and running renders of this session, for the button that opens it. */
export function queueWords(store) {
  const open = Object.values(store.jobs).filter((job) => job.state === "queued" || job.state === "running").length;
  return open ? `Queue (${plural(open, "render")})` : "Queue";
}
