// What renders begin from, end with or continue: chosen, shown and taken away.

import { button, h, put, show } from "./dom.js";

const INPUTS = { image: ["Start image", "image/*"], last_image: ["End image", "image/*"], video: ["Video to continue", "video/mp4"] };

export class Inputs {
  /** `bring(file, name)` keeps a file and sets it; `change(values)` sets what is known by its id. */
  constructor(store, { bring, change }) {
    this.rows = Object.entries(INPUTS).map(([name, [label, accept]]) => new InputRow(store, { name, label, accept, bring, change }));
    this.hint = h("p", { class: "wb-quiet", text: "Pictures can also be dropped or pasted anywhere." });
    this.el = h("section", { class: "wb-panel-group", "aria-label": "Begin from" }, h("h3", { text: "Begin from" }), this.rows.map((row) => row.el), this.hint);
  }

  update(set) {
    for (const row of this.rows) row.update(set[row.name]);
  }
}

class InputRow {
  constructor(store, { name, label, accept, bring, change }) {
    this.store = store;
    this.name = name;
    this.file = h("input", { type: "file", accept, "aria-label": label, onchange: () => this._bring(bring) });
    this.picture = h("img", { alt: "", class: "wb-input-picture", hidden: true });
    this.told = h("span", { class: "wb-quiet" });
    this.drop = button(`Remove the ${label.toLowerCase()}`, { icon: "close", bare: true, onclick: () => change({ [name]: null }) });
    this.el = h("div", { class: "wb-setting" }, h("label", {}, h("span", { text: label }), this.file), this.picture, this.drop);
  }

  update(id) {
    show(this.drop, Boolean(id));
    this.el.toggleAttribute("data-changed", Boolean(id));
    if (id === this.id) return;
    this.id = id;
    if (!id) this.file.value = "";
    this._show(id);
  }

  async _show(id) {
    show(this.picture, false);
    if (!id || this.name === "video") return put(this.told, "");
    const bytes = await this.store.call("input", { name: id }).catch(() => null);
    if (!bytes || id !== this.id) return undefined;
    URL.revokeObjectURL(this.picture.src);
    this.picture.src = URL.createObjectURL(new Blob([bytes]));
    return show(this.picture, true);
  }

  async _bring(bring) {
    const [file] = this.file.files;
    if (file && !(await bring(file, this.name))) this.file.value = "";
  }
}
