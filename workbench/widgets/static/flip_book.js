// Plays a few frames of a storyboard: what the camera sees along its path.

import { attribute, h } from "./dom.js";
import { stillness } from "./media.js";

export class FlipBook {
  /** `moved(share)` receives the position, 0 to 1. */
  constructor({ moved }) {
    this.moved = moved;
    this.canvas = h("canvas", { class: "wb-flip", role: "img", "aria-label": "The storyboard along this path", width: 320, height: 184 });
    this.el = this.canvas;
    this.began = performance.now();
    new IntersectionObserver(() => this._wake()).observe(this.el);
  }

  /** Show `strip` over `seconds`; `running` while its panel is open. It rests while it is hidden. */
  update(strip, seconds, running) {
    this.seconds = Math.max(0.1, seconds || 0);
    if (strip !== this.strip) {
      this.strip = strip;
      this.drawn = null;
    }
    this.running = running;
    this._wake();
  }

  _wake() {
    if (this.running && !this.frame) this._tick();
  }

  _tick() {
    this.frame = this.running && this.el.checkVisibility() ? requestAnimationFrame(() => this._tick()) : null;
    if (!this.strip) return;
    const share = stillness.matches ? 1 : (((performance.now() - this.began) / 1000) % (this.seconds + 0.6)) / this.seconds;
    this._draw(Math.min(1, share));
    this.moved(Math.min(1, share));
  }

  _draw(share) {
    const { picture, count } = this.strip;
    const index = Math.round(share * (count - 1));
    if (index === this.drawn) return;
    this.drawn = index;
    const width = picture.width / count;
    const { canvas } = this;
    if (canvas.width !== width || canvas.height !== picture.height) [canvas.width, canvas.height] = [width, picture.height];
    canvas.getContext("2d").drawImage(picture, index * width, 0, width, picture.height, 0, 0, width, picture.height);
    attribute(canvas, "data-pictures", count);
  }
}
