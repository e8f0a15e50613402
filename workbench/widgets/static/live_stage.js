// What is seen of a live world: its picture, the way so far from above, what is told over it, the time.

import { attribute, h, put, show } from "./dom.js";
import { TopView } from "./top_view.js";

const LATE_MS = 3000;
const SPARSE = 4; // every fourth place of the way is drawn from above

export class LiveStage {
  constructor(canvas) {
    this.map = new TopView({ label: "The path so far, from above" });
    this.told = h("p", { class: "wb-live-told" });
    this.note = h("p", { class: "wb-live-note", hidden: true });
    this.time = h("span", { class: "wb-time" });
    this.bar = h("progress", { max: 1, value: 0, "aria-label": "Time of the walk" });
    this.stage = h(
      "div",
      { class: "wb-live-stage", role: "application", tabindex: 0, "aria-label": "Live world: hold W A S D to move, I J K L to turn; P pauses" },
      canvas,
      h("div", { class: "wb-path-overlay" }, this.map.el),
      this.told,
      this.note,
    );
    this.el = h("div", { class: "wb-live-see" }, this.stage, h("div", { class: "wb-row wb-live-clock" }, this.bar, this.time));
    this.begin(null);
  }

  focus() {
    this.stage.focus({ preventScroll: true });
  }

  /** Show this world from its beginning; null while there is none. */
  begin(world) {
    this.world = world;
    this.way = [];
    if (world) this.stage.style.setProperty("--wb-live-shape", `${world.width} / ${world.height}`);
    this.map.update({ curve: [] });
    this.clock(0);
  }

  /** Follow a picture that was drawn: where the camera is, after how long, and why it may not move. */
  follow({ frame, note, at: [right, forward, turn] }, elapsed_s) {
    const place = [elapsed_s, right, forward, (turn * 180) / Math.PI];
    if (frame % SPARSE === 0) this.way.push(place);
    this.map.update({ curve: [...this.way, place] });
    this.map.play(1);
    put(this.note, note);
    show(this.note, note !== "");
    this.clock(elapsed_s);
  }

  /** Tell something over the picture. */
  say(text) {
    put(this.told, text);
    show(this.note, false);
  }

  clock(elapsed_s) {
    const { world } = this;
    put(this.time, world ? `${elapsed_s.toFixed(1)} of ${seconds(world.limit_s)}` : "");
    attribute(this.bar, "value", world ? Math.min(1, elapsed_s / world.limit_s) : 0);
  }

  /** Say so where no picture comes though time goes on. */
  wait(runs) {
    clearTimeout(this.late);
    attribute(this.stage, "data-late", null);
    if (!runs) return;
    this.late = setTimeout(() => {
      attribute(this.stage, "data-late", true);
      put(this.told, `No new picture yet: the ${this.world.rests ? "kernel" : "server"} is busy.`);
    }, LATE_MS);
  }
}

export function seconds(value) {
  return `${Number.isInteger(value) ? value : value.toFixed(1)} s`;
}
