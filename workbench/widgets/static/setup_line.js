// The line below the header on every step: prompt writer, engine, and render settings.

import { attribute, button, h, put, show, swapIcon } from "./dom.js";
import { LanguagePanel } from "./language_panel.js";
import { ModelsPanel } from "./models_panel.js";
import { Notice } from "./notice.js";
import { changedNames, RenderPanel } from "./render_panel.js";
import { RenderSettings } from "./settings.js";
import { engineWords } from "./words.js";

export class SetupLine {
  constructor(store) {
    this.store = store;
    this.settings = new RenderSettings(store);
    this.notice = new Notice();
    this.panel = new RenderPanel(store, this.settings);
    this.models = new ModelsPanel(store, this.settings);
    this.language = new LanguagePanel(store, { chosen: (told) => this._tellWriter(told) });
    this.writer = store.config.private ? plain("Prompts by") : menu("Prompts by", () => this.language.open());
    this.engine = menu("Videos by", () => this.models.open());
    this.how = menu("Render settings", () => this.panel.open());
    this.lock = button("Keep the seed", { icon: "lock", bare: true, kind: "small", onclick: () => this._toggleSeed() });
    store.chooseWriter = store.config.private ? null : () => this.language.open();
    this.el = h(
      "div",
      { class: "wb-setup", role: "group", "aria-label": "Who writes and what renders" },
      this.writer.el,
      this.engine.el,
      h("span", { class: "wb-row wb-tight" }, this.how.el, this.lock),
      this.notice.el,
    );
    this.dialogs = [this.panel.el, this.models.el, store.config.private ? null : this.language.el].filter(Boolean);
  }

  update() {
    const { settings, store } = this;
    settings.update();
    const { values, set } = settings;
    this._askWriter();
    put(this.engine.value, engineWords(values.engine ?? set.engine ?? store.config.engine, values.model ?? set.model));
    put(this.how.value, settings.problem ? "do not fit" : howWords(settings));
    attribute(this.how.el, "data-changed", changedNames(set).length > 0);
    const keeps = settings.keepsSeed;
    swapIcon(this.lock, keeps ? "lock" : "open");
    attribute(this.lock, "aria-pressed", String(keeps));
    const told = keeps ? "Every render has the same seed; use a new one for each" : "Each render has its own seed; keep one for all";
    attribute(this.lock, "aria-label", told);
    attribute(this.lock, "title", told);
    this.panel.update();
    this.models.update();
  }

  /** Ask for the language model whenever another session is opened. */
  _askWriter() {
    const id = this.store.session?.id ?? "";
    if (id === this.asked) return;
    this.asked = id;
    this.store.call("language_label").then((told) => this._tellWriter(told), () => {});
  }

  _tellWriter(told) {
    if (!told) return;
    put(this.writer.value, told.provider === "builtin" ? "built-in composer" : told.label);
    this.store.writer = told;
    this.store.emit();
  }

  _toggleSeed() {
    this.notice.guard(() => this.settings.keepSeed(!this.settings.keepsSeed));
  }
}

function menu(label, open) {
  const value = h("strong");
  const el = h("button", { type: "button", class: "wb-menu", "aria-haspopup": "dialog", onclick: open }, h("span", { class: "wb-quiet", text: label }), value, h("span", { class: "wb-menu-mark", "aria-hidden": "true", text: "▾" }));
  return { el, value };
}

function howWords({ values, set, keepsSeed }) {
  const seconds = values.num_frames && values.fps ? `${(values.num_frames / values.fps).toFixed(1)} s` : "";
  const size = values.width ? `${values.width} × ${values.height}` : "";
  const steps = values.num_inference_steps ? `${values.num_inference_steps} steps` : "";
  const seed = set.seed !== undefined ? `seed ${set.seed}` : keepsSeed ? "one seed" : "new seeds";
  const camera = set.camera ? "camera path" : "";
  return [seconds, size, values.fps ? `${Number(values.fps.toFixed(3))} fps` : "", steps, seed, camera].filter(Boolean).join(" · ");
}

function plain(label) {
  const value = h("strong");
  return { value, el: h("span", { class: "wb-setup-writer" }, h("span", { class: "wb-quiet", text: label }), value) };
}
