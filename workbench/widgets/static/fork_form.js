// Fork here, Go on: a storyboard takes another path, a model's video continues, from the current frame.

import { attribute, button, h, put, show, submitOnEnter } from "./dom.js";
import { isComplete } from "./job.js";
import { RolloutForm } from "./rollout_form.js";

const USUAL = "a-40";

export class ForkForm {
  /** `player` shows the video; `forked(id)` gets the new job. */
  constructor(store, player, notice, { forked }) {
    this.store = store;
    this.player = player;
    this.notice = notice;
    this.forked = forked;
    this.open = button("Fork here", { icon: "shuffle", kind: "small", "aria-expanded": "false", onclick: () => this._toggle(false) });
    this.goOn = button("Go on", { icon: "arrow", kind: "small", title: "Go on where this video ends, from its lossless frames", "aria-expanded": "false", onclick: () => this._toggle(true) });
    this.why = h("span", { class: "wb-quiet", id: "wb-fork-why" });
    this.moves = h("datalist", { id: "wb-fork-moves" });
    this.at = h("span", { class: "wb-quiet" });
    this.text = h("input", { type: "text", maxlength: 4000, value: USUAL, list: "wb-fork-moves", "aria-label": "Where the camera goes from here, in keys or words", onkeydown: (event) => submitOnEnter(event, () => this._fork()) });
    this.start = button("Fork", { kind: "primary", onclick: () => this._fork() });
    this.path = h("div", { class: "wb-fork", role: "group", "aria-label": "Fork", hidden: true }, this.at, this.text, this.start);
    this.rollout = new RolloutForm(store, player, notice, { made: (id) => this._made(id) });
    this.form = h("div", {}, this.path, this.rollout.el, this.moves);
    player.video.addEventListener("timeupdate", () => this._tell());
    player.video.addEventListener("seeked", () => this._tell());
  }

  update(job) {
    const isAnother = job?.job_id !== this.job?.job_id;
    if (isAnother) this._show(null);
    this.job = job;
    if (isAnother || (isComplete(job) && !this.looked)) this._look(job);
    this._judge();
    this._tell();
  }

  /** Whether the video is forked along its camera path, as a storyboard of its own is. */
  get _isDrawn() {
    return this.job?.engine === "animatic" && !this.job.segment;
  }

  get _whyNot() {
    if (!isComplete(this.job)) return "";
    if (this._isDrawn) return this.job.camera ? "" : "This storyboard has no camera path. Render it along one to fork it.";
    return this.outlook?.why_not ?? "";
  }

  /** Ask where the video can be left. */
  async _look(job) {
    this.outlook = null;
    this.looked = isComplete(job);
    if (!this.looked || this._isDrawn) return;
    const found = await this.store.call("outlook", { job: job.job_id }).catch((error) => ({ why_not: error.message }));
    if (this.job?.job_id !== job.job_id) return;
    this.outlook = found;
    this.rollout.update(this.job, found);
    this._judge();
  }

  _judge() {
    const ready = isComplete(this.job);
    const reason = this._whyNot;
    const waits = !this._isDrawn && !this.outlook;
    for (const node of [this.open, this.goOn]) {
      attribute(node, "aria-disabled", reason || waits ? "true" : null);
      attribute(node, "aria-describedby", reason ? this.why.id : null);
    }
    show(this.open, ready);
    show(this.goOn, ready && !this._isDrawn);
    put(this.why, reason);
    show(this.why, ready && reason !== "");
    if (reason) this._show(null);
  }

  async _toggle(atEnd) {
    if (this.open.getAttribute("aria-disabled")) return;
    const wanted = atEnd ? this.goOn : this.open;
    const opens = wanted.getAttribute("aria-expanded") !== "true";
    this._show(opens ? wanted : null);
    if (!opens) return;
    this.player.video.pause();
    this._tell();
    if (this._isDrawn) {
      this.text.select();
      this.text.focus();
    } else {
      this.rollout.begin(atEnd);
    }
    if (this.moves.childElementCount) return;
    const names = await this.store.call("camera_moves").catch(() => []);
    this.moves.replaceChildren(h("option", { value: USUAL }), ...names.map((name) => h("option", { value: name })));
  }

  /** Show the form that `node` opens; null for none. */
  _show(node) {
    show(this.path, node !== null && this._isDrawn);
    show(this.rollout.el, node !== null && !this._isDrawn);
    for (const one of [this.open, this.goOn]) attribute(one, "aria-expanded", String(one === node));
  }

  _tell() {
    put(this.at, `From ${this.player.video.currentTime.toFixed(2)} s on`);
    this.rollout.tell();
  }

  async _fork() {
    const actions = this.text.value.trim() || USUAL;
    const args = { job: this.job.job_id, at_s: this.player.video.currentTime, actions };
    const answer = await this.notice.guard(() => this.store.call("fork", args, `fork ${args.job}`));
    if (answer) this._made(answer.job);
  }

  _made(id) {
    this._show(null);
    this._look(this.job);
    this.forked(id);
  }
}
