// The pictures of a live world, from the kernel onto a canvas; the kernel is told of each that was drawn.

import { attribute, h } from "./dom.js";

const HIDDEN_MS = 1000; // a hidden page takes a picture a second

export class LiveFeed {
  /** `drawn(message)` hears of each picture, `over(message)` that no more will come. */
  constructor(store, { drawn, over }, signal) {
    this.store = store;
    this.hears = { drawn, over };
    this.canvas = h("canvas", { class: "wb-live-picture", "aria-hidden": "true", width: 832, height: 480 });
    const heard = (message, buffers) => message.kind === "live" && this._heard(message, buffers);
    store.model.on("msg:custom", heard);
    signal?.addEventListener("abort", () => store.model.off("msg:custom", heard));
  }

  /** Show the pictures of this world from now on; without one, none. */
  follow(world) {
    this.world = world?.world ?? null;
    this.frame = -1;
    attribute(this.canvas, "data-frame", null);
    if (world) [this.canvas.width, this.canvas.height] = [world.width, world.height];
  }

  /** Tell the kernel something that needs no answer. */
  tell(name, args = {}) {
    if (this.world) this.store.model.send({ do: name, with: { world: this.world, ...args } });
  }

  async _heard(message, buffers) {
    if (message.world !== this.world) return;
    if (message.over) {
      this.hears.over(message);
      return;
    }
    try {
      const picture = await createImageBitmap(new Blob([buffers[0]], { type: "image/jpeg" }));
      if (message.world === this.world && message.frame > this.frame) this._draw(picture, message);
      picture.close();
    } finally {
      const seen = () => message.world === this.world && this.tell("live_seen", { frame: message.frame });
      if (document.hidden) setTimeout(seen, HIDDEN_MS);
      else seen();
    }
  }

  _draw(picture, message) {
    const { canvas } = this;
    this.frame = message.frame;
    if (canvas.width !== picture.width || canvas.height !== picture.height) [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext("2d").drawImage(picture, 0, 0);
    attribute(canvas, "data-frame", message.frame);
    this.hears.drawn(message);
  }
}
