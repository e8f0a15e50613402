// How to render: engine, seed, frames, steps. An empty field means the engine's default.

import { h, put, show } from "./dom.js";

const NUMBERS = {
  seed: ["Seed", 0, 2147483647],
  num_frames: ["Frames", 1, 1441],
  fps: ["Frames per second", 1, 120],
  num_inference_steps: ["Steps", 1, 1000],
  width: ["Width", 64, 7680],
  height: ["Height", 64, 4320],
};

export class RenderOptions {
  constructor(store) {
    this.store = store;
    this.engine = h(
      "select",
      { onchange: () => this._set("engine", this.engine.value || null) },
      h("option", { value: "", text: `as set up (${store.config.engine})` }),
      store.config.engines.map((name) => h("option", { value: name, text: name })),
    );
    this.inputs = Object.entries(NUMBERS).map(([name, [label, min, max]]) => {
      const input = h("input", {
        type: "number",
        min,
        max,
        placeholder: name === "seed" ? "new each time" : "auto",
        onchange: () => this._number(name, input),
      });
      return { name, input, el: h("label", {}, h("span", { text: label }), input) };
    });
    this.told = h("span", { class: "wb-quiet" });
    this.el = h(
      "details",
      { class: "wb-options" },
      h("summary", {}, "Render settings ", this.told),
      h("div", { class: "wb-options-body" }, h("label", {}, h("span", { text: "Engine" }), this.engine), this.inputs.map((one) => one.el)),
    );
  }

  update() {
    const { options } = this.store.view;
    if (document.activeElement !== this.engine) this.engine.value = options.engine ?? "";
    for (const { name, input } of this.inputs) {
      if (document.activeElement !== input) input.value = options[name] ?? "";
    }
    const told = Object.entries(options).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`);
    put(this.told, told.join(", "));
    show(this.told, told.length > 0);
  }

  _number(name, input) {
    if (!input.reportValidity()) return;
    this._set(name, input.value === "" ? null : Number(input.value));
  }

  _set(name, value) {
    const options = { ...this.store.view.options, [name]: value };
    if (value === null) delete options[name];
    this.store.set({ options });
  }
}
