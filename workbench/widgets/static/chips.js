// The scene's parameters as a film crew groups them: labelled chips, each editable and lockable.

import { attribute, button, h, Keyed, put, show, submitOnEnter, swapIcon } from "./dom.js";
import { capital, valueText } from "./words.js";

const ORIGINS = {
  said: "you said it",
  inferred: "chosen for you",
  edited: "changed by you",
  locked: "locked",
};

/** All groups; `edit(field, value)` and `lock(field, on)` are requests, which the kernel may refuse. `point(value)` gets
 * the value of the chip under the pointer or the focus, and null when it is left. */
export class Chips {
  constructor(store, { edit, lock, point }) {
    this.store = store;
    this.actions = { edit, lock, point };
    this.el = h("div", { class: "wb-chips" });
    this.list = new Keyed(
      this.el,
      (group) => group.name,
      (group) => new Group(group, this.actions),
    );
  }

  update(scene, changed = []) {
    show(this.el, Boolean(scene));
    if (!scene || (scene === this.scene && changed.join() === this.changed)) return;
    this.scene = scene;
    this.changed = changed.join();
    const groups = this.store.config.groups.map((group) => ({ ...group, scene, changed }));
    this.list.update(groups);
  }
}

class Group {
  constructor(group, actions) {
    this.body = h("div", { class: "wb-group-body" });
    this.editor = new Editor(actions);
    this.el = h(
      "section",
      { class: "wb-group", "aria-label": group.name },
      h("h3", { class: "wb-group-name", text: group.name }),
      this.body,
      this.editor.el,
    );
    const open = (field, from) => this.editor.open(field, this.scene[field.name], from);
    this.chips = new Keyed(
      this.body,
      (field) => field.name,
      () => new Chip(open, actions),
    );
  }

  update({ fields, scene, changed }) {
    this.scene = scene;
    const filled = fields.filter((field) => valueText(scene[field.name].value));
    const empty = fields.filter((field) => !filled.includes(field));
    this.chips.update(
      [...filled, ...empty].map((field) => ({
        ...field,
        ...scene[field.name],
        changed: changed.includes(field.name),
      })),
    );
  }
}

class Chip {
  constructor(open, actions) {
    this.label = h("span", { class: "wb-chip-label" });
    this.value = h("span", { class: "wb-chip-value" });
    this.main = h(
      "button",
      { type: "button", class: "wb-chip-main", onclick: () => open(this.field, this.main) },
      this.label,
      this.value,
    );
    this.lock = button("Lock", {
      icon: "open",
      bare: true,
      kind: "chip-lock",
      onclick: () => actions.lock(this.field.name, this.field.origin !== "locked"),
    });
    const point = () => actions.point(this.field.value);
    const leave = () => actions.point(null);
    this.el = h("span", { class: "wb-chip", onpointerenter: point, onpointerleave: leave, onfocusin: point, onfocusout: leave }, this.main, this.lock);
  }

  update(field) {
    this.field = field;
    const text = valueText(field.value);
    const locked = field.origin === "locked";
    put(this.label, text ? field.label : `+ ${field.label.toLowerCase()}`);
    put(this.value, text);
    attribute(this.el, "data-origin", text ? field.origin || "inferred" : "empty");
    attribute(this.el, "data-changed", field.changed);
    const origin = ORIGINS[field.origin];
    attribute(this.main, "title", text ? [text, origin].filter(Boolean).join(" — ") : null);
    const told = text ? `${field.label}: ${text}. Edit` : `Add ${field.label.toLowerCase()}`;
    attribute(this.main, "aria-label", told);
    show(this.lock, Boolean(text) || locked);
    swapIcon(this.lock, locked ? "lock" : "open");
    attribute(this.lock, "aria-pressed", locked ? "true" : "false");
    const action = locked ? "Unlock" : "Lock";
    attribute(this.lock, "aria-label", `${action} ${field.label.toLowerCase()}`);
    attribute(this.lock, "title", locked ? "Locked: nothing changes it" : "Lock this");
  }
}

/** One editor per group, under its chips: a text field, and established terms to click. */
class Editor {
  constructor(actions) {
    this.actions = actions;
    this.label = h("span", { class: "wb-editor-label" });
    this.input = h("input", {
      type: "text",
      autocomplete: "off",
      maxlength: 300,
      onkeydown: (event) => submitOnEnter(event, () => this._save(this.input.value)),
    });
    this.terms = h("div", { class: "wb-terms" });
    this.el = h(
      "div",
      {
        class: "wb-editor",
        role: "group",
        hidden: true,
        onkeydown: (event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          this.close();
        },
      },
      h("label", {}, this.label, this.input),
      this.terms,
      h(
        "div",
        { class: "wb-row" },
        button("Set", { kind: "small", onclick: () => this._save(this.input.value) }),
        button("Clear", { kind: "small", onclick: () => this._save("") }),
        button("Cancel", { kind: "small", onclick: () => this.close() }),
      ),
    );
  }

  open(field, { value }, from) {
    this.field = field;
    this.from = from;
    put(this.label, field.several ? `${field.label} (separate with ;)` : field.label);
    this.input.value = valueText(value);
    const now = this.input.value.toLowerCase();
    this.terms.replaceChildren(
      ...field.terms.map((term) =>
        h("button", {
          type: "button",
          class: "wb-term",
          text: term,
          "aria-pressed": term === now ? "true" : "false",
          onclick: () => this._save(term),
        }),
      ),
    );
    attribute(this.el, "aria-label", `Edit ${capital(field.label)}`);
    show(this.el, true);
    this.input.focus({ preventScroll: true });
    this.input.select();
    this.el.scrollIntoView({ block: "nearest" });
  }

  close() {
    show(this.el, false);
    this.from?.focus();
  }

  _save(text) {
    const { several, name } = this.field;
    const value = several ? text.split(";").map((part) => part.trim()).filter(Boolean) : text.trim();
    this.close();
    this.actions.edit(name, value);
  }
}
