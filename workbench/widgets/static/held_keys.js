// The camera's keys W A S D and I J K L: on the keyboard, or as buttons that are held, tapped or clicked.

import { attribute, button, h } from "./dom.js";

const KEYS = {
  w: "forward", a: "left", s: "back", d: "right",
  i: "tilt up", j: "turn left", k: "tilt down", l: "turn right",
};

export class HeldKeys {
  /** `pressed()` and `released(key)` hear of each change, `clicked(key)` of a click that holds nothing. */
  constructor({ pressed, released, clicked }) {
    this.hears = { pressed, released, clicked };
    this.held = new Set();
    this.buttons = new Map(Object.entries(KEYS).map(([key, words]) => [key, this._button(key, words)]));
    const cluster = (label, keys) => h("div", { class: "wb-pad", role: "group", "aria-label": label }, [...keys].map((key) => this.buttons.get(key)));
    this.el = h("div", { class: "wb-pads" }, cluster("Move", "wasd"), cluster("Turn", "ijkl"));
  }

  /** The keys that are held, such as "jw". */
  get text() {
    return [...this.held].sort().join("");
  }

  /** Hear the keys themselves in `root`, but for those that are typed into a field. */
  listen(root) {
    root.addEventListener("keydown", (event) => {
      const key = keyOf(event);
      if (!key) return;
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat) this.press(key);
    });
    root.addEventListener("keyup", (event) => this.release(event.key.toLowerCase()));
    root.addEventListener("focusout", (event) => {
      if (!root.contains(event.relatedTarget)) this.releaseAll();
    });
  }

  press(key) {
    if (this.held.has(key)) return;
    this.held.add(key);
    this._mark(key);
    this.hears.pressed();
  }

  release(key) {
    if (!this.held.has(key)) return;
    this.held.delete(key);
    this._mark(key);
    this.hears.released(key);
  }

  releaseAll() {
    for (const key of [...this.held]) this.release(key);
  }

  _button(key, words) {
    const up = () => this.release(key);
    return button(key.toUpperCase(), {
      kind: `key wb-key-${key}`,
      "aria-label": `${key.toUpperCase()}: ${words}`,
      title: words,
      onpointerdown: (event) => {
        if (event.button) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        this.press(key);
      },
      onpointerup: up,
      onpointercancel: up,
      oncontextmenu: (event) => event.preventDefault(), // a long touch
      onclick: (event) => {
        if (event.detail === 0) this.hears.clicked(key); // by the keyboard, or a screen reader
      },
    });
  }

  _mark(key) {
    attribute(this.buttons.get(key), "data-held", this.held.has(key));
  }
}

/** The camera's key that an event means; null in a field, or with a modifier. */
function keyOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return null;
  const key = event.key.toLowerCase();
  return key in KEYS ? key : null;
}
