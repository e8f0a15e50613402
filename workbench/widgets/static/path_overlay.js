// The commanded path over a video: the camera's position from above, in sync with the frame.

import { attribute, button, h, show } from "./dom.js";
import { TopView } from "./top_view.js";

export class PathOverlay {
  /** `player`: the player of the video below it. */
  constructor(store, player) {
    this.store = store;
    this.player = player;
    this.views = new Map(); // job id → the kernel's view of its path
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
    show(this.el, has && this.on);
    this.job = job;
    if (has && this.on) this._load(job.job_id);
  }

  /** The kernel's view of the current video's path; null until it is loaded. */
  get view() {
    return this.views.get(this.job?.job_id) ?? null;
  }

  _set(on) {
    this.on = on;
    attribute(this.toggle, "aria-pressed", String(on));
    this.update(this.job);
  }

  async _load(id) {
    if (!this.views.has(id)) {
      this.views.set(id, null);
      const view = await this.store.call("job_camera", { job: id }).catch(() => null);
      this.views.set(id, view);
    }
    if (this.view && id === this.job?.job_id) this._draw();
  }

  _draw() {
    if (this.drawn !== this.view) {
      this.drawn = this.view;
      this.map.update(this.view);
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
