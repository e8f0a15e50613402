// One variation: its changes, text, render and actions.

import { ChangeList } from "./changes.js";
import { attribute, button, h, put, show } from "./dom.js";
import { Player } from "./media.js";
import { Notice } from "./notice.js";
import { numberOf } from "./places.js";
import { JobLine } from "./progress.js";

const SOURCES = {
  fallback: "written without the language model",
  substitute: "replaced a repeated or unusable answer",
  emergency: "the original text",
};

export class VariationCard {
  constructor(store, { tune }) {
    this.store = store;
    this.tune = tune;
    this.player = new Player(store);
    this.line = new JobLine(store, { compact: true });
    this.notice = new Notice();
    this.number = h("span", { class: "wb-card-number" });
    this.changes = new ChangeList();
    this.fallback = h("span", { class: "wb-badge wb-badge-fallback", hidden: true });
    this.name = h("strong", { class: "wb-card-name", hidden: true });
    this.text = h("p", { class: "wb-card-text" });
    this.more = h("button", {
      type: "button",
      class: "wb-link",
      text: "Read all",
      "aria-expanded": "false",
      onclick: () => this._expand(),
    });
    this.area = h("textarea", { rows: 6, "aria-label": "Prompt of this card", hidden: true, onkeydown: (e) => this._key(e) });
    this.el = h(
      "article",
      { class: "wb-card", role: "listitem" },
      h("div", { class: "wb-card-media" }, this.player.el, this.number),
      this.line.el,
      h("div", { class: "wb-card-body" }, this.fallback, this.name, this.changes.el, this.text, this.more, this.area, this.notice.el),
      this._actions(),
    );
  }

  _actions() {
    const ask = (name, args = {}) => this._ask(name, { index: this.entry.index, ...args });
    this.tuneButton = button("Tune this", { kind: "small", onclick: () => this.tune(this.entry.index) });
    this.pin = button("Pin", { icon: "pin", bare: true, onclick: () => ask("pin", { on: !this.card.pinned }) });
    this.edit = button("Edit the text", { icon: "edit", bare: true, onclick: () => this._open() });
    this.save = button("Use this text", { icon: "check", kind: "small", hidden: true, onclick: () => this._save() });
    this.again = button("Replace it with another variation", {
      icon: "shuffle",
      bare: true,
      onclick: () => ask("regenerate", { axes: this.card.axes, one_thing: Boolean(this.store.view.oneThing) }),
    });
    this.drop = button("Remove this card", { icon: "trash", bare: true, onclick: () => ask("drop") });
    return h("div", { class: "wb-card-foot" }, this.tuneButton, this.save, h("span", { class: "wb-row wb-tight" }, this.pin, this.edit, this.again, this.drop));
  }

  update(card) {
    const { entry, job } = card;
    this.card = card;
    this.player.update(job, job ? "" : "Not rendered yet");
    this.line.update(job);
    attribute(this.el, "data-pinned", card.pinned);
    attribute(this.pin, "aria-pressed", String(card.pinned));
    attribute(this.again, "data-working", this.store.busy(`regenerate ${entry.index}`));
    if (entry === this.entry && card.first === this.first) return;
    this.entry = entry;
    this.first = card.first;
    attribute(this.el, "style", `--wb-place: ${card.place}`);
    const number = numberOf(this.store, entry.index);
    put(this.number, card.first ? "Original" : number);
    show(this.number, card.first || number !== "");
    put(this.name, entry.request);
    show(this.name, entry.kind === "variation" && Boolean(entry.request));
    put(this.text, entry.prompt);
    this.changes.update(card.first ? [] : entry.changes);
    show(this.fallback, entry.fallback);
    put(this.fallback, SOURCES[entry.source] ?? SOURCES.fallback);
    for (const node of [this.pin, this.again, this.drop]) show(node, !card.first);
  }

  dispose() {
    this.player.dispose();
  }

  _ask(name, args) {
    return this.notice.guard(() => this.store.call(name, args, `${name} ${this.entry.index}`));
  }

  _expand() {
    const open = this.el.classList.toggle("wb-open");
    attribute(this.more, "aria-expanded", String(open));
    put(this.more, open ? "Less" : "Read all");
  }

  _open() {
    this.area.value = this.entry.prompt;
    this._editing(true);
    this.area.focus();
  }

  _key(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      this._editing(false);
      this.edit.focus();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this._save();
    }
  }

  async _save() {
    const text = this.area.value.trim();
    if (text && text !== this.entry.prompt) {
      const taken = await this._ask("rewrite", { index: this.entry.index, text });
      if (!taken) return;
    }
    this._editing(false);
  }

  _editing(on) {
    show(this.area, on);
    show(this.text, !on);
    show(this.more, !on);
    show(this.save, on);
    show(this.tuneButton, !on);
  }
}

/** Placeholders for cards that are still being written. */
export function Skeletons(count) {
  return Array.from({ length: Math.max(0, count) }, (_, place) => ({
    key: `skeleton ${place}`,
    make: () => ({
      el: h(
        "div",
        { class: "wb-card wb-skeleton", "aria-hidden": "true", style: `--wb-place: ${place}` },
        h("div", { class: "wb-card-media" }),
        h("div", { class: "wb-card-body" }, h("span"), h("span"), h("span")),
      ),
      update() {},
    }),
  }));
}
