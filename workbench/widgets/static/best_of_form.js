// The form of a best-of-N run: number of drafts, number kept, budget, critics.

import { attribute, button, h, put, show } from "./dom.js";
import { figure, SCORES, scoreOf } from "./scores.js";

const USUAL = ["asked_for", "consistency", "flicker"];
const PLAIN = ["asked_for", "consistency", "flicker", "smoothness", "motion", "sharpness", "colourfulness", "agreement"];
const ASKED_FOR = { label: "What was asked for", says: "the scene check: the share of the prompt that the video shows" };
const REVISIONS = [["0", "no"], ["1", "once"], ["2", "twice"], ["3", "three times"]];

export class BestOfForm {
  /** `begin(args)` starts a run. */
  constructor(store, begin) {
    this.store = store;
    this.begin = begin;
    this.chosen = new Set(USUAL);
    this.prompt = h("p", { class: "wb-best-prompt" });
    this.n = h("input", { type: "number", min: 2, max: Math.min(64, store.config.max_batch), value: 8 });
    this.keep = h("input", { type: "number", min: 1, max: 64, value: 2 });
    this.minutes = h("input", { type: "number", min: 0.1, max: 10000, step: "any", placeholder: "no limit" });
    this.revise = h("select", {}, REVISIONS.map(([value, text]) => h("option", { value, text })));
    this.critics = h("div", { class: "wb-row wb-best-critics", role: "group", "aria-label": "Judged by" });
    this.others = h("div", { class: "wb-row wb-best-critics", role: "group", "aria-label": "Judged by other scores" });
    this.more = h("details", { class: "wb-best-more" }, h("summary", { text: "Other scores" }), this.others);
    this.hint = h("p", { class: "wb-quiet" });
    this.start = button("Start", { icon: "play", kind: "primary", onclick: () => this._start() });
    const field = (text, control, after) => h("label", { class: "wb-best-field" }, h("span", { text }), control, after ? h("span", { class: "wb-quiet", text: after }) : null);
    this.el = h(
      "section",
      { class: "wb-best-form", "aria-label": "New run" },
      h("p", { class: "wb-quiet", text: "Renders many quick drafts of this prompt, drops the worst, and renders the best of them whole." }),
      this.prompt,
      h("div", { class: "wb-best-fields" }, field("Drafts", this.n, "each with its own seed"), field("Keep", this.keep, "rendered whole"), field("Budget", this.minutes, "minutes of rendering"), field("Revise", this.revise, "the prompt for what is missing")),
      h("h3", { text: "Judged by" }),
      this.critics,
      this.more,
      this.hint,
      h("div", { class: "wb-row" }, this.start),
    );
  }

  update(entry) {
    put(this.prompt, entry?.prompt ?? "");
    attribute(this.start, "disabled", !entry || this.store.busy("best_of"));
  }

  /** Offer the available critics. */
  offer({ critics, model }) {
    this.names = critics;
    this.chosen = new Set(critics.filter((name) => this.chosen.has(name)));
    const isPlain = (name) => PLAIN.includes(name) || !(name in SCORES);
    const plain = [...PLAIN.filter((name) => critics.includes(name)), ...critics.filter((name) => isPlain(name) && !PLAIN.includes(name))];
    this.critics.replaceChildren(...plain.map((name) => this._critic(name)));
    this.others.replaceChildren(...critics.filter((name) => !isPlain(name)).map((name) => this._critic(name)));
    put(this.hint, "No vision language model is connected, so “what was asked for” is judged only as far as image analysis can tell.");
    show(this.hint, !model);
  }

  _critic(name) {
    const { label, says } = criticOf(name);
    const node = h("button", { type: "button", class: "wb-toggle", text: label, title: says, "aria-pressed": String(this.chosen.has(name)), onclick: () => this._toggle(name, node) });
    return node;
  }

  _toggle(name, node) {
    if (!this.chosen.delete(name)) this.chosen.add(name);
    attribute(node, "aria-pressed", String(this.chosen.has(name)));
    attribute(this.start, "disabled", !this.chosen.size);
  }

  _start() {
    if (![this.n, this.keep, this.minutes].every((node) => node.reportValidity())) return;
    const minutes = Number(this.minutes.value);
    this.begin({ n: Number(this.n.value), keep: Math.min(Number(this.keep.value), Number(this.n.value)), critics: this.names.filter((name) => this.chosen.has(name)), minutes: minutes || null, revise: Number(this.revise.value) });
  }
}

/** The label and description of a critic: { label, says }. */
export function criticOf(name) {
  if (name === "asked_for") return ASKED_FOR;
  const { sort, says } = scoreOf(name);
  return { label: sort, says };
}

/** A critic's value for a video: "sharp 812", "asked for 83 %". */
export function valueOf(name, value) {
  const label = name === "asked_for" ? "asked for" : scoreOf(name).label;
  if (value === null) return `${label} unknown`;
  return `${label} ${name === "asked_for" ? `${Math.round(value * 100)} %` : figure(value)}`;
}
