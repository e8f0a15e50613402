// A prompt's text, with highlights, and an editor for it.

import { attribute, button, h, put, show } from "./dom.js";
import { differences, ownWords, plural } from "./words.js";

/** `save(index, text)` is called with the edited text; `legend` explains the highlights. */
export class PromptText {
  constructor(store, { save, legend = false }) {
    this.store = store;
    this.save = save;
    this.text = h("div", { class: "wb-prompt-text" });
    this.area = h("textarea", {
      class: "wb-prompt-area",
      rows: 7,
      "aria-label": "Prompt",
      maxlength: store.config.max_prompt_chars,
      onkeydown: (event) => this._key(event),
    });
    this.badge = h("span", { class: "wb-badge wb-badge-fallback", hidden: true });
    this.reason = h("p", { class: "wb-quiet wb-fallback-reason", hidden: true });
    this.count = h("span", { class: "wb-quiet" });
    this.legend = h("span", { class: "wb-legend", hidden: !legend });
    this.editButton = button("Edit", { icon: "edit", kind: "small", onclick: () => this._open() });
    this.saveButton = button("Use this text", { icon: "check", kind: "small", onclick: () => this._save() });
    this.cancelButton = button("Cancel", { kind: "small", onclick: () => this._close() });
    this.el = h(
      "div",
      { class: "wb-prompt" },
      this.text,
      this.area,
      h(
        "div",
        { class: "wb-prompt-foot" },
        this.badge,
        this.legend,
        this.count,
        h("span", { class: "wb-row" }, this.editButton, this.saveButton, this.cancelButton),
      ),
      this.reason,
    );
    this._showEditing(false);
  }

  /** Show `entry`; highlight the words of `typed`, or the differences from `before`. */
  update(entry, { typed = "", before = null } = {}) {
    const key = `${entry.index} ${typed} ${before?.index ?? ""} ${entry.prompt.length}`;
    if (key === this.key) return;
    this.key = key;
    this.entry = entry;
    this.text.replaceChildren(...marked(entry, typed, before));
    put(this.count, plural(entry.prompt.match(/\S+/g)?.length ?? 0, "word"));
    show(this.badge, entry.fallback);
    put(this.badge, "written without the language model");
    put(this.reason, entry.fallback ? entry.message : "");
    show(this.reason, this.reason.textContent !== "");
    this._showLegend(typed, before);
    if (this.editing) this._close();
  }

  /** Animate the text once. */
  arrive() {
    this.text.classList.remove("wb-arrives");
    void this.text.offsetWidth; // restarts the animation
    this.text.classList.add("wb-arrives");
  }

  _showLegend(typed, before) {
    const parts = [];
    if (typed) parts.push(h("mark", { class: "wb-mine", text: "your words" }), " and what was added");
    else if (before) parts.push(h("mark", { class: "wb-fresh", text: "changed" }), " since the previous prompt");
    this.legend.replaceChildren(...parts);
  }

  _key(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      this._close();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this._save();
    }
  }

  _open() {
    this.area.value = this.entry.prompt;
    this._showEditing(true);
    this.area.focus();
  }

  _close() {
    this._showEditing(false);
    this.editButton.focus({ preventScroll: true });
  }

  async _save() {
    const text = this.area.value.trim();
    if (!text || text === this.entry.prompt) {
      this._close();
      return;
    }
    attribute(this.saveButton, "data-working", true);
    const answer = await this.save(this.entry.index, text);
    attribute(this.saveButton, "data-working", false);
    if (answer) this._showEditing(false); // on an error keep the edited text
  }

  _showEditing(editing) {
    this.editing = editing;
    show(this.text, !editing);
    show(this.area, editing);
    show(this.editButton, !editing);
    show(this.saveButton, editing);
    show(this.cancelButton, editing);
  }
}

function marked(entry, typed, before) {
  if (before) {
    return differences(before.prompt, entry.prompt).map((run) =>
      run.fresh && run.text.trim() ? h("mark", { class: "wb-fresh", text: run.text }) : run.text,
    );
  }
  if (!typed) return [entry.prompt];
  return ownWords(typed, entry.prompt).map((run) =>
    run.mine ? h("mark", { class: "wb-mine", text: run.text }) : run.text,
  );
}
