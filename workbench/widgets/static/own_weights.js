// Changes to a model's weights: LoRAs, and quantisation by component.

import { button, h, show } from "./dom.js";
import { markChanged } from "./settings.js";

export const QUANTISED = { none: "not at all", fp8: "fp8", int8: "int8", nf4: "nf4" };

/** LoRAs with their weights. */
export class Loras {
  constructor(change) {
    this.change = change;
    this.list = h("ul", { class: "wb-loras" });
    this.name = h("input", { type: "text", placeholder: "owner/name on the hub", "aria-label": "LoRA" });
    this.weight = h("input", { type: "number", min: -10, max: 10, step: 0.05, value: 1, "aria-label": "Weight" });
    const add = button("Add", { icon: "plus", kind: "small", onclick: () => this._add() });
    this.el = group("LoRAs", [this.list, h("div", { class: "wb-row wb-tight wb-lora-new" }, this.name, this.weight, add)]);
  }

  update(loras) {
    const key = JSON.stringify(loras);
    if (key === this.key) return;
    this.key = key;
    this.loras = loras;
    this.list.replaceChildren(...loras.map((one, place) => this._item(one, place)));
  }

  _item(one, place) {
    const others = this.loras.filter((_, other) => other !== place);
    const weight = h("input", {
      type: "number", min: -10, max: 10, step: 0.05, value: one.weight, "aria-label": `Weight of ${one.path}`,
      onchange: () => this.change(this.loras.map((lora, at) => (at === place ? { ...lora, weight: Number(weight.value) } : lora))),
    });
    const drop = button(`Remove ${one.path}`, { icon: "close", bare: true, onclick: () => this.change(others.length ? others : null) });
    return h("li", { class: "wb-row wb-tight" }, h("span", { text: one.path }), weight, drop);
  }

  _add() {
    const path = this.name.value.trim();
    if (!path) return;
    this.name.value = "";
    this.change([...this.loras, { path, weight: Number(this.weight.value) }]);
  }
}

/** Quantisation of each component, if one for all is not enough. */
export class QuantisedParts {
  constructor(change) {
    this.change = change;
    this.rows = h("div", {});
    this.el = h("details", { class: "wb-parts", hidden: true }, h("summary", { text: "Quantise each component" }), this.rows);
  }

  update(set, components) {
    show(this.el, components.length > 0);
    const chosen = set !== null && typeof set === "object" ? set : {};
    const key = JSON.stringify([chosen, components]);
    if (key === this.key) return;
    this.key = key;
    this.rows.replaceChildren(...components.map((name) => this._row(name, chosen)));
    if (Object.keys(chosen).length) this.el.open = true;
  }

  _row(name, chosen) {
    const label = name.replaceAll("_", " ");
    const options = [["", "model default"], ...Object.entries(QUANTISED)].map(([value, text]) => h("option", { value, text, selected: (chosen[name] ?? "") === value }));
    const select = h("select", { "aria-label": `Quantise the ${label}`, onchange: () => this._take(name, select.value, chosen) }, options);
    const row = h("div", { class: "wb-setting" }, h("label", {}, h("span", { text: label }), select));
    markChanged(row, name in chosen);
    return row;
  }

  _take(name, value, { [name]: before, ...others }) {
    const next = value ? { ...others, [name]: value } : others;
    this.change({ quantize: Object.keys(next).length ? next : null });
  }
}

/** Settings under one heading. */
export function group(name, parts) {
  return h("section", { class: "wb-panel-group", "aria-label": name }, h("h3", { text: name }), parts);
}
