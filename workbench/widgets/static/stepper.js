// The navigation through the four steps.

import { attribute, h, put } from "./dom.js";
import { isComplete } from "./job.js";

const STEPS = ["Prompt", "Variations", "Tune", "Results"];

export class Stepper {
  constructor(store, { go }) {
    this.store = store;
    this.buttons = STEPS.map((name, place) => {
      const count = h("span", { class: "wb-step-count" });
      const node = h(
        "button",
        { type: "button", onclick: () => go(place + 1) },
        h("span", { class: "wb-step-number", "aria-hidden": "true", text: String(place + 1) }),
        h("span", { class: "wb-step-name", text: name }),
        count,
      );
      return { node, count };
    });
    this.el = h("nav", { class: "wb-stepper", "aria-label": "Steps" }, h("ol", {}, this.buttons.map(({ node }) => h("li", {}, node))));
  }

  update() {
    const { store } = this;
    const has = store.entries.length > 0;
    const renders = store.renders.filter((job) => job.state !== "cancelled");
    const possible = [true, has, has, store.renders.length > 0];
    const done = renders.filter((job) => isComplete(job)).length;
    this.buttons.forEach(({ node, count }, place) => {
      attribute(node, "aria-current", store.view.step === place + 1 ? "step" : null);
      attribute(node, "disabled", !possible[place]);
      put(count, place === 3 && renders.length ? `${done}/${renders.length}` : "");
    });
  }
}
