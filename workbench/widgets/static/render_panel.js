// The render settings in groups: the engine's own values, changed values, and named presets.

import { cameraText } from "./camera_state.js";
import { attribute, button, h, put, show } from "./dom.js";
import { Inputs } from "./inputs.js";
import { Notice } from "./notice.js";
import { group, Loras, QUANTISED, QuantisedParts } from "./own_weights.js";
import { markChanged } from "./settings.js";

const ASPECTS = { "16:9": "16:9 wide", "9:16": "9:16 tall", "1:1": "1:1 square", "4:3": "4:3", "21:9": "21:9 cinema" };
const SIDES = { 360: "360p", 480: "480p", 544: "544p", 704: "704p", 720: "720p", 1080: "1080p" };
const PROFILES = { reference: "reference", exact: "exact", fast: "fast", draft: "draft" };

/** Group → rows; a row with `models` is shown only for video models. */
const GROUPS = {
  Format: [
    { name: "aspect", label: "Aspect", choices: ASPECTS, usual: (values) => aspectWords(values) },
    { name: "short_side", label: "Size", choices: SIDES, usual: (values) => (values.width ? `${values.width} × ${values.height}` : "") },
    { name: "seconds", label: "Seconds", min: 0.1, max: 3600, step: "any" },
    { name: "num_frames", label: "Frames", min: 1, max: 1441 },
    { name: "fps", label: "Frames per second", min: 1, max: 120, step: "any" },
    { name: "width", label: "Width", min: 64, max: 7680 },
    { name: "height", label: "Height", min: 64, max: 4320 },
  ],
  Quality: [
    { name: "profile", label: "Profile", choices: PROFILES, models: true },
    { name: "num_inference_steps", label: "Steps", min: 1, max: 1000, models: true },
    { name: "guidance_scale", label: "Guidance", min: 0, max: 100, step: "any", models: true },
    { name: "quantize", label: "Quantise", choices: QUANTISED, models: true },
    { name: "negative_prompt", label: "Avoid", text: true },
  ],
  Camera: [{ name: "camera", label: "Path", text: true, shown: cameraText }],
};

export class RenderPanel {
  constructor(store, settings) {
    this.store = store;
    this.settings = settings;
    this.notice = new Notice();
    this.rows = Object.values(GROUPS).flat().map((field) => new Row(field, (values) => this._change(values)));
    this.seed = new Seed(settings, (work) => this.notice.guard(work));
    this.inputs = new Inputs(store, { guard: (work) => this.notice.guard(work), change: (values) => this._change(values) });
    this.parts = new QuantisedParts((values) => this._change(values));
    this.loras = new Loras((loras) => this._change({ loras }));
    this.presets = new Presets(settings, (values) => this._change(values));
    this.all = button("Reset all", { icon: "undo", kind: "small", onclick: () => this._reset() });
    this.problem = h("p", { class: "wb-problem", role: "status" });
    const rows = new Map(this.rows.map((row) => [row.field, row]));
    const groups = Object.entries(GROUPS).map(([name, fields]) => group(name, fields.map((field) => rows.get(field).el)));
    this.el = h(
      "dialog",
      { class: "wb-dialog wb-drawer wb-render-panel", "aria-label": "Render settings" },
      h("div", { class: "wb-dialog-head" }, h("h2", { text: "Render settings" }), button("Close", { icon: "close", bare: true, onclick: () => this.el.close() })),
      h("p", { class: "wb-quiet", text: "For every render of this session from now on. Changed values are marked; the rest are the model's defaults." }),
      this.problem,
      this.notice.el,
      h("div", { class: "wb-panel-groups" }, groups[0], group("Seed", [this.seed.el]), groups[1], groups[2], this.parts.el, this.inputs.el, this.loras.el),
      h("div", { class: "wb-row wb-panel-foot" }, this.presets.el, this.all),
    );
  }

  open() {
    this.el.showModal();
    this.update();
  }

  update() {
    if (!this.el.open) return;
    const { settings } = this;
    const isModel = settings.values.engine !== "animatic";
    for (const row of this.rows) row.update(settings, isModel);
    this.seed.update();
    show(this.inputs.el, isModel);
    this.inputs.update(settings.set, settings.inputs);
    show(this.parts.el, isModel);
    this.parts.update(settings.set.quantize, settings.inputs?.components ?? []);
    show(this.loras.el, isModel);
    this.loras.update(settings.set.loras ?? []);
    this.presets.update();
    put(this.problem, settings.problem);
    show(this.problem, Boolean(settings.problem));
    attribute(this.all, "disabled", !changedNames(settings.set).length);
  }

  _change(values) {
    return this.notice.guard(() => this.settings.change(values));
  }

  _reset() {
    this._change(Object.fromEntries(changedNames(this.settings.set).map((name) => [name, null])));
  }
}

/** The values set by hand, without the engine, which is chosen elsewhere, and the seed, which has its own lock. */
export function changedNames(set) {
  return Object.keys(set).filter((name) => !["engine", "model", "seed"].includes(name));
}

/** One setting: its value, whether it is changed, and a reset button. */
class Row {
  constructor(field, change) {
    this.field = field;
    this.change = change;
    this.control = field.choices ? this._select() : this._input();
    attribute(this.control, "aria-label", field.label);
    this.own = h("span", { class: "wb-quiet" });
    this.reset = button(`Reset ${field.label.toLowerCase()}`, { icon: "undo", bare: true, onclick: () => change({ [field.name]: null }) });
    this.el = h("div", { class: "wb-setting" }, h("label", {}, h("span", { text: field.label }), this.control), this.own, this.reset);
  }

  update({ set, values, defaults }, isModel) {
    const { field, control } = this;
    const changed = set[field.name] !== undefined;
    const value = set[field.name] ?? values[field.name] ?? "";
    show(this.el, isModel || !field.models);
    markChanged(this.el, changed);
    show(this.reset, changed);
    const usual = field.usual ? field.usual(changed ? defaults : values) : defaults[field.name];
    put(this.own, changed && known(usual) ? `instead of ${usual}` : "");
    if (field.choices) put(control.firstChild, !changed && known(usual) ? usual : "model default");
    if (this.typing) return;
    const shown = field.choices ? chosenText(set[field.name]) : (field.shown ?? String)(value);
    if (field.choices && shown && ![...control.options].some((option) => option.value === shown)) {
      control.append(h("option", { value: shown, text: shown }));
    }
    if (control.value !== shown) control.value = shown;
  }

  _select() {
    const { name, choices } = this.field;
    const numeric = name === "short_side";
    const node = h(
      "select",
      { onchange: () => this.change({ [name]: node.value === "" ? null : numeric ? Number(node.value) : node.value }) },
      h("option", { value: "", text: "model default" }),
      Object.entries(choices).map(([value, text]) => h("option", { value, text })),
    );
    return node;
  }

  _input() {
    const { name, min, max, step, text } = this.field;
    const node = h("input", { type: text ? "text" : "number", min, max, step, maxlength: text ? 4000 : null, oninput: () => (this.typing = true), onblur: () => (this.typing = false), onchange: () => this._take(node) });
    return node;
  }

  _take(node) {
    if (!node.reportValidity()) return;
    this.typing = false;
    const text = node.value.trim();
    this.change({ [this.field.name]: text === "" ? null : this.field.text ? text : Number(text) });
  }
}

/** The seed with its lock: kept for every render of the session, or new for each. */
class Seed {
  constructor(settings, guard) {
    this.settings = settings;
    this.input = h("input", { type: "number", min: 0, max: Number.MAX_SAFE_INTEGER, step: 1, placeholder: "chosen with the first prompt", onchange: () => this._take(guard) });
    this.box = h("input", { type: "checkbox", onchange: () => guard(() => settings.keepSeed(this.box.checked)) });
    this.el = h(
      "div",
      { class: "wb-setting" },
      h("label", {}, h("span", { text: "Seed" }), this.input),
      h("label", { class: "wb-check" }, this.box, "The same for every render"),
    );
  }

  update() {
    const { settings } = this;
    const keeps = settings.keepsSeed;
    this.box.checked = keeps;
    if (document.activeElement !== this.input) this.input.value = settings.set.seed ?? "";
    attribute(this.input, "placeholder", keeps ? "chosen with the first prompt" : "new for each render");
  }

  _take(guard) {
    if (!this.input.reportValidity()) return;
    const text = this.input.value.trim();
    guard(async () => {
      await this.settings.change({ seed: text === "" ? null : Number(text) });
      if (text !== "") this.settings.store.set({ newSeeds: false });
    });
  }
}

/** Named settings, stored by this browser. */
class Presets {
  constructor(settings, change) {
    this.settings = settings;
    this.change = change;
    this.choice = h("select", { "aria-label": "Presets", onchange: () => this._apply() });
    this.name = h("input", { type: "text", maxlength: 60, placeholder: "name of a preset", "aria-label": "Name of the preset" });
    this.save = button("Save", { kind: "small", onclick: () => this._keep() });
    this.drop = button("Delete this preset", { icon: "trash", bare: true, onclick: () => this._forget() });
    this.el = h("div", { class: "wb-row wb-presets" }, this.choice, this.drop, this.name, this.save);
  }

  update() {
    const names = Object.keys(this.settings.store.presets());
    const key = names.join("\n");
    if (key !== this.key) {
      this.key = key;
      this.choice.replaceChildren(h("option", { value: "", text: names.length ? "Presets…" : "No presets yet" }), ...names.map((name) => h("option", { value: name, text: name })));
    }
    show(this.drop, this.choice.value !== "");
    attribute(this.save, "disabled", !changedNames(this.settings.set).length);
  }

  _apply() {
    const values = this.settings.store.presets()[this.choice.value];
    if (!values) return;
    const others = changedNames(this.settings.set).filter((name) => !(name in values));
    this.change({ ...Object.fromEntries(others.map((name) => [name, null])), ...values });
    this.update();
  }

  _keep() {
    const name = this.name.value.trim();
    if (!name) return this.name.focus();
    const { seed, ...values } = this.settings.set;
    this.settings.store.keepPresets({ ...this.settings.store.presets(), [name]: values });
    this.name.value = "";
    this.update();
    this.choice.value = name;
    this.update();
    return undefined;
  }

  _forget() {
    const { [this.choice.value]: gone, ...others } = this.settings.store.presets();
    this.settings.store.keepPresets(others);
    this.update();
  }
}

/** The value shown in a select; empty for one value per component. */
function chosenText(value) {
  return value === undefined || value === null || typeof value === "object" ? "" : String(value);
}

function known(value) {
  return value !== undefined && value !== null && value !== "";
}

function aspectWords({ width, height }) {
  if (!width || !height) return "";
  const near = Object.keys(ASPECTS).find((text) => {
    const [wide, high] = text.split(":").map(Number);
    return Math.abs(Math.log((width / height) * (high / wide))) < 0.04;
  });
  return near ?? `${(width / height).toFixed(2)}:1`;
}
