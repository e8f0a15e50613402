// Chooses which parts of the scene variations may change, and whether several at once.

import { attribute, h } from "./dom.js";

const AXES = {
  Camera: ["camera_movement", "camera_angle", "shot_size", "lens"],
  Light: ["lighting"],
  Palette: ["color_palette"],
  Time: ["time_of_day"],
  Weather: ["weather"],
  Mood: ["mood"],
  Style: ["style"],
  Pace: ["pace"],
  Setting: ["setting"],
};

/** Toggle buttons; with none pressed, all axes are used. */
export class Axes {
  constructor(store) {
    this.store = store;
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
    this.box = h("input", { type: "checkbox", onchange: () => store.set({ oneThing: this.box.checked }) });
    this.el = h(
      "div",
      { class: "wb-axes", role: "group", "aria-label": "Axes to vary; all of them if none is chosen" },
      h("span", { class: "wb-quiet", text: "Vary" }),
      buttons,
      h("label", { class: "wb-check", title: "Each variation differs from the prompt in one field, so every difference between the videos has one cause" }, this.box, "Change one thing each"),
    );
  }

  get oneThing() {
    return Boolean(this.store.view.oneThing);
  }

  get chosen() {
    return [...this.pressed].flatMap((name) => AXES[name]);
  }

  update() {
    if (this.box.checked !== this.oneThing) this.box.checked = this.oneThing;
  }

  _toggle(name, node) {
    const on = !this.pressed.has(name);
    if (on) this.pressed.add(name);
    else this.pressed.delete(name);
    attribute(node, "aria-pressed", String(on));
  }
}
