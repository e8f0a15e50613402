// What goes on from a video of a model: from which second, with which prompt, camera, length and seed.

import { attribute, button, h, put, show, submitOnEnter } from "./dom.js";
import { bytesWords } from "./facts.js";
import { tookSeconds } from "./job.js";
import { duration } from "./words.js";

const SAME_FRAME = 0.01;

export class RolloutForm {
  /** `made(id)` is told the first new job. */
  constructor(store, player, notice, { made }) {
    this.store = store;
    this.player = player;
    this.notice = notice;
    this.made = made;
    const enter = (event) => submitOnEnter(event, () => this._submit());
    this.at = h("p", { class: "wb-rollout-at", role: "status" });
    this.cost = h("p", { class: "wb-quiet" });
    this.prompt = h("textarea", { rows: 3, maxlength: 20000 });
    this.camera = h("input", { type: "text", maxlength: 4000, list: "wb-fork-moves", placeholder: "as the prompt says", onkeydown: enter });
    this.seconds = h("input", { type: "number", min: 0.1, max: 3600, step: "any", onkeydown: enter });
    this.seed = h("input", { type: "number", min: 0, step: 1, placeholder: "next", onkeydown: enter });
    this.start = button("Fork", { kind: "primary", onclick: () => this._submit() });
    this.asks = []; // what a storyboard is not asked: its prompt and seed are its world's
    const field = (text, node, kind = "") => h("label", { class: `wb-rollout-field ${kind}` }, h("span", { text }), node);
    this.el = h(
      "div",
      { class: "wb-fork wb-rollout", role: "group", "aria-label": "Fork", hidden: true },
      this.at,
      this._ask(field("What happens from here", this.prompt, "wb-rollout-wide")),
      field("Camera, in keys or words", this.camera),
      field("Seconds", this.seconds, "wb-rollout-short"),
      this._ask(field("Seed", this.seed, "wb-rollout-short")),
      this.cost,
      this.start,
    );
  }

  _ask(field) {
    this.asks.push(field);
    return field;
  }

  /** `outlook` says which of the video's frames a fork may keep. */
  update(job, outlook) {
    if (job.job_id !== this.job?.job_id) {
      this.prompt.value = job.prompt;
      this.camera.value = "";
      this.seed.value = "";
      this.seconds.value = (((job.num_frames ?? 0) - outlook.overlap) / job.fps || 2).toFixed(2);
    }
    this.job = job;
    this.outlook = outlook;
    for (const field of this.asks) show(field, !outlook.needs_actions);
    attribute(this.camera, "placeholder", outlook.needs_actions ? "a-40" : "as the prompt says");
    put(this.cost, costWords(job, outlook));
    show(this.cost, Boolean(outlook.again));
    this.tell();
  }

  /** Open at the picture that is shown, or at the end. */
  begin(atEnd) {
    this.atEnd = atEnd;
    put(this.start, atEnd ? "Go on" : "Fork");
    if (atEnd) this.player.video.currentTime = this.player.video.duration || 0;
    this.tell();
    (this.outlook.needs_actions ? this.camera : this.prompt).focus();
  }

  /** Say which second is taken, and why it is not the one that is shown. */
  tell() {
    if (!this.outlook || this.outlook.why_not) return;
    const { kept, shown } = this._kept();
    const second = (kept / this.job.fps).toFixed(2);
    const moved = kept === shown ? "" : ` ${this.outlook.reason}`;
    put(this.at, kept === this.job.num_frames ? `On from the end, ${second} s.${moved}` : `From ${second} s on.${moved}`);
  }

  /** Frames of the video that are shared: the nearest number that the model allows. */
  _kept() {
    const { least, every, most } = this.outlook;
    const count = this.job.num_frames;
    const frame = Math.floor(this.player.video.currentTime * this.job.fps + SAME_FRAME) + 1;
    const shown = this.atEnd ? count : Math.min(frame, count);
    const near = Math.max(1, Math.round(shown / every)) * every;
    return { kept: Math.min(Math.max(near, Math.ceil(least / every) * every), most), shown };
  }

  async _submit() {
    const { kept } = this._kept();
    const seconds = Number(this.seconds.value);
    const args = {
      job: this.job.job_id,
      at_s: kept / this.job.fps,
      prompt: this.outlook.needs_actions ? "" : this.prompt.value,
      actions: this.camera.value,
      seconds: this.seconds.value.trim() ? seconds : null,
      seed: !this.outlook.needs_actions && this.seed.value.trim() ? Number(this.seed.value) : null,
    };
    const answer = await this.notice.guard(() => this.store.call("go_on", args, `go on ${args.job}`));
    if (answer) this.made(answer.job);
  }
}

/** What it costs that a video is made again first. */
function costWords(job, outlook) {
  if (!outlook.again) return "";
  const took = tookSeconds(job);
  const time = took ? `about ${duration(Math.max(1, Math.round(took)))}, as long as it took` : "as long as it took";
  return `Its lossless frames were not kept, so it is made again first: ${time}, and at most ${bytesWords(outlook.again_bytes)}. Later forks share that.`;
}
