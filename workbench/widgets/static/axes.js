// Which parts of the scene the variations may change.

import { h } from "./dom.js";

const AXES = {
  Camera: ["camera_movement", "camera_angle", "shot_size", "lens"],
  Light: ["lighting", "color_palette"],
  Time: ["time_of_day"],
  Weather: ["weather"],
  Mood: ["mood"],
  Style: ["style"],
  Pace: ["pace"],
  Setting: ["setting"],
};

/** Toggle buttons; with none pressed, all axes are used. */
export class Axes {
  constructor() {
    this.pressed = new Set();
    const buttons = Object.keys(AXES).map((name) =>
      h("button", {
        type: "button",
        class: "wb-toggle",
        text: name,
        "aria-pressed": "false",
        onclick: (event) => this._toggle(name, event.currentTarget),
      }),
    );
    this.el = h(
      "div",
      { class: "wb-axes", role: "group", "aria-label": "Axes to vary; all of them if none is chosen" },
      h("span", { class: "wb-quiet", text: "Vary" }),
      buttons,
    );
  }

  get chosen() {
    return [...this.pressed].flatMap((name) => AXES[name]);
  }

  _toggle(name, node) {
    const on = !this.pressed.has(name);
    if (on) this.pressed.add(name);
    else this.pressed.delete(name);
    node.setAttribute("aria-pressed", String(on));
  }
}
