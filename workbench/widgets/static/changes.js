// The differences between two prompts: named changes, each with before and after.

import { cameraText } from "./camera_state.js";
import { attribute, h, Keyed, put, show } from "./dom.js";
import { valueText } from "./words.js";

/** All changes between two prompts; hidden if there are none. */
export class ChangeList {
  constructor() {
    this.el = h("ul", { class: "wb-changes" });
    this.list = new Keyed(this.el, (change) => change.field, () => new ChangeItem());
  }

  update(changes) {
    this.list.update(changes);
    show(this.el, changes.length > 0);
  }
}

/** One named change, as before and after. */
class ChangeItem {
  constructor() {
    this.label = h("span", { class: "wb-change-field" });
    this.before = h("del");
    this.after = h("ins");
    this.el = h("li", {}, this.label, this.before, this.after);
  }

  update(change) {
    put(this.label, change.field.replaceAll("_", " "));
    put(this.before, brief(change.before, change.after));
    put(this.after, brief(change.after, change.before) || "none");
    show(this.before, Boolean(this.before.textContent));
    attribute(this.el, "title", change.sentence);
  }
}

/** The items of a list that are missing in the other one. */
function brief(value, other) {
  if (!Array.isArray(value)) return valueText(value);
  return valueText(value.filter((item) => !other.includes(item)));
}

/** An entry's changes in a few words: "film noir, 85mm lens". */
export function briefChanges(entry) {
  return changesOf(entry)
    .map((change) => brief(change.after, change.before) || `no ${change.field.replaceAll("_", " ")}`)
    .join(", ");
}

/** The render settings in which an entry differs from its parent, as changes. */
export function settingsChanges(entry, parent) {
  const before = parent?.settings ?? {};
  const names = new Set([...Object.keys(before), ...Object.keys(entry.settings)]);
  return [...names]
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(entry.settings[name]))
    .map((name) => ({ field: name, before: settingText(before[name], name), after: settingText(entry.settings[name], name), sentence: "" }));
}

function settingText(value, name) {
  if (name === "camera") return cameraText(value);
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? "set" : String(value);
}

/** The changes from an entry's parent; none for a prompt without a parent. */
export function changesOf(entry) {
  return entry && ["variation", "tuned", "given"].includes(entry.kind) ? entry.changes : [];
}
