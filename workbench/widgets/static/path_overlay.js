// The commanded path over a video: the camera's position from above, in sync with the frame.

import { attribute, button, h, show } from "./dom.js";
import { TopView } from "./top_view.js";

export class PathOverlay {
  /** `player`: the player of the video below it. */
  constructor(store, player) {
    this.store = store;
    this.player = player;
    this.views = new Map(); // job id → the kernel's view of its path; null if it has none
    this.asked = null; // the job whose path was asked for last
    this.on = false;
    this.toggle = button("Camera path", { icon: "camera", kind: "small", "aria-pressed": "false", onclick: () => this._set(!this.on) });
    this.map = new TopView({ label: "The commanded path from above" });
    this.el = h("div", { class: "wb-path-overlay", hidden: true }, this.map.el);
    player.el.append(this.el);
    new IntersectionObserver(() => this._wake()).observe(this.el);
  }

  /** Show the path of `job`, if it has one. */
  update(job) {
    const has = Boolean(job?.camera);
    show(this.toggle, has);
    this.job = job;
    if (has && this.on) this._load(job.job_id);
    this._draw();
  }

  /** The kernel's view of the current video's path; null until it is loaded. */
  get view() {
    return this.views.get(this.job?.job_id) ?? null;
  }

  _set(on) {
    this.on = on;
    this.asked = null;
    attribute(this.toggle, "aria-pressed", String(on));
    this.update(this.job);
  }

  /** Ask for a path once; after a failure, again when the toggle is pressed or another video was shown. */
  async _load(id) {
    if (id === this.asked || this.views.has(id)) return;
    this.asked = id;
    const view = await this.store.call("job_camera", { job: id }).catch(() => undefined);
    if (view === undefined) return;
    this.views.set(id, view);
    this._draw();
  }

  /** Show the path of the current video, and none while it is loaded. */
  _draw() {
    const { view } = this;
    show(this.el, this.on && view !== null);
    if (this.el.hidden) return;
    if (this.drawn !== view) {
      this.drawn = view;
      this.map.update(view);
    }
    this._wake();
  }

  _wake() {
    if (!this.frame) this._tick();
  }

  /** Follow the video's own clock, which Play and the scrubber move. */
  _tick() {
    this.frame = this.el.checkVisibility() ? requestAnimationFrame(() => this._tick()) : null;
    const { view } = this;
    if (!view) return;
    const share = this.player.video.currentTime / Math.max(view.duration_s, 0.001);
    if (share === this.share) return;
    this.share = share;
    this.map.play(share);
    attribute(this.el, "data-share", Math.min(1, share).toFixed(2));
  }
}
