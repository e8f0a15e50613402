// Chooses what renders: the storyboard, a local model, a remote endpoint; and how to get more models.

import { attribute, button, h, Keyed, put, show } from "./dom.js";
import { Notice } from "./notice.js";
import { engineWords } from "./words.js";

const ABOUT = {
  animatic: "Drawn from the prompt's parameters in about a second, on any CPU. It shows staging, light and camera; it is not a video model.",
  remote: "Renders on the endpoint configured for this workbench.",
};
const NONE =
  "No video model is on this machine. Put its folder where WORKBENCH_MODELS points, or fetch one in a terminal; the list below shows it then.";
const FETCH = "hf download Wan-AI/Wan2.1-T2V-1.3B-Diffusers";

export class ModelsPanel {
  constructor(store, settings) {
    this.store = store;
    this.settings = settings;
    this.notice = new Notice();
    this.engines = h("ul", { class: "wb-models" });
    this.models = h("ul", { class: "wb-models" });
    const choose = (values) => this._choose(values);
    this.engineList = new Keyed(this.engines, (one) => one.name, () => new Choice(choose));
    this.modelList = new Keyed(this.models, (one) => one.name, () => new Choice(choose));
    this.none = h("div", { class: "wb-models-none" }, h("p", { class: "wb-quiet", text: NONE }), h("code", { text: FETCH }));
    this.el = h(
      "dialog",
      { class: "wb-dialog wb-drawer", "aria-label": "What renders the videos" },
      h("div", { class: "wb-dialog-head" }, h("h2", { text: "Videos by" }), button("Close", { icon: "close", bare: true, onclick: () => this.el.close() })),
      this.notice.el,
      this.engines,
      h("h3", { text: "Models on this machine" }),
      this.models,
      this.none,
    );
  }

  async open() {
    this.el.showModal();
    this.update();
    this.library = await this.notice.guard(() => this.store.call("library"));
    this.update();
  }

  update() {
    if (!this.el.open) return;
    const { engine, model } = this.settings.values;
    const { config } = this.store;
    const plain = config.engines.filter((name) => name !== "diffusers");
    this.engineList.update(plain.map((name) => ({
      name,
      title: engineWords(name),
      facts: ABOUT[name] ?? "An additional engine, installed on this server.",
      values: { engine: name },
      chosen: engine === name,
    })));
    const models = this.library ?? [];
    this.modelList.update(models.map((one) => ({
      name: one.name,
      title: one.title,
      facts: factsOf(one),
      problem: one.problems[0] ?? (one.fits === false ? one.plan : ""),
      values: { engine: "diffusers", model: one.name },
      chosen: engine === "diffusers" && model === one.name,
      broken: one.problems.length > 0,
    })));
    show(this.none, Boolean(this.library) && !models.length);
  }

  _choose(values) {
    return this.notice.guard(() => this.settings.change(values));
  }
}

class Choice {
  constructor(choose) {
    this.title = h("strong");
    this.facts = h("span", { class: "wb-quiet" });
    this.problem = h("span", { class: "wb-problem" });
    this.main = h("button", { type: "button", class: "wb-session", onclick: () => choose(this.one.values) }, this.title, this.facts, this.problem);
    this.el = h("li", {}, this.main);
  }

  update(one) {
    this.one = one;
    put(this.title, one.title);
    put(this.facts, one.facts);
    put(this.problem, one.problem);
    show(this.problem, Boolean(one.problem));
    attribute(this.main, "aria-current", one.chosen ? "true" : null);
    attribute(this.main, "disabled", Boolean(one.broken));
  }
}

function factsOf(model) {
  const fits = { true: "fits this GPU", false: "does not fit this GPU" }[String(model.fits)] ?? "";
  return [model.name, `${model.size_gib} GiB`, `from ${model.takes.join(", ") || "its own inputs"}`, fits].filter(Boolean).join(" · ");
}
