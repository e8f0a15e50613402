// Step 1: from a rough idea to a full prompt, with its first moving picture beside it.

import { CameraPanel } from "./camera_panel.js";
import { Chips } from "./chips.js";
import { attribute, button, h, icon, put, show } from "./dom.js";
import { hasEnded, isComplete } from "./job.js";
import { isShown, Player } from "./media.js";
import { Notice } from "./notice.js";
import { baseIndex, nearestJob, roughOf } from "./places.js";
import { Draft } from "./draft.js";
import { pointAt } from "./pointing.js";
import { PromptText } from "./prompt_text.js";
import { JobLine } from "./progress.js";

const EXAMPLES = [
  "dog running",
  "a lighthouse in a storm",
  "old man fishing at dawn",
  "city street in the rain, neon signs",
  "a fox in the snow, slow motion",
];

const SLOW_MS = 200;
const OLDER = "This is the video of the previous prompt.";

export class PromptStep {
  constructor(store, { go, camera }) {
    this.store = store;
    this.go = go;
    this.camera = new CameraPanel(store, camera);
    this.notice = new Notice();
    this.input = h("textarea", {
      rows: 3,
      maxlength: store.config.max_prompt_chars,
      placeholder: "dog running",
      "aria-describedby": "wb-idea-hint",
      onkeydown: (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          this._enhance();
        }
      },
      oninput: () => {
        store.idea = this.input.value.trim();
        this.update();
      },
    });
    this.submit = button("Enhance", { icon: "spark", kind: "primary", onclick: () => this._enhance() });
    this.stop = button("Stop", { icon: "stop", hidden: true, title: "Stop the language model", onclick: () => this._stop() });
    this.draft = new Draft();
    this.idea = this._ideaForm();
    this.before = h("div", { class: "wb-idea-camera" });
    this.result = this._resultPart();
    this.el = h("section", { class: "wb-step wb-step-prompt" }, this.idea, this.before, this.result);
  }

  _ideaForm() {
    const examples = EXAMPLES.map((text) =>
      h("button", {
        type: "button",
        class: "wb-example",
        text,
        onclick: () => {
          this.input.value = text;
          this.input.focus();
          this.update();
        },
      }),
    );
    this.title = h("h2", { tabindex: -1, text: "What should happen?" });
    this.lead = h("p", {
      class: "wb-lead",
      text: "Describe a moment in a few words. It becomes a full video prompt, and a first video starts at once.",
    });
    this.examples = h(
      "div",
      { class: "wb-examples", role: "group", "aria-label": "Examples" },
      h("span", { class: "wb-quiet", text: "Try" }),
      examples,
    );
    return h(
      "div",
      { class: "wb-idea" },
      this.title,
      this.lead,
      h("label", { class: "wb-idea-field" }, h("span", { class: "wb-aloud", text: "Your idea" }), this.input),
      h(
        "div",
        { class: "wb-idea-foot" },
        this.examples,
        h(
          "div",
          { class: "wb-row" },
          h("span", { class: "wb-quiet wb-keys", id: "wb-idea-hint", text: "Ctrl or ⌘ + Enter" }),
          this.stop,
          this.submit,
        ),
      ),
      this.notice.el,
    );
  }

  _resultPart() {
    this.text = new PromptText(this.store, {
      save: (index, text) => this._take("accept", { index, text }),
      legend: true,
    });
    this.chipsNotice = new Notice();
    this.chips = new Chips(this.store, {
      edit: (field, value) => this._change({ values: { [field]: value } }),
      lock: (field, on) => this._change(on ? { lock: [field] } : { unlock: [field] }),
      point: (value) => pointAt(this.text.text, value),
    });
    this.player = new Player(this.store, { controls: true });
    this.line = new JobLine(this.store);
    this.caption = h("p", { class: "wb-quiet", hidden: true });
    this.renderNow = button("Render this text", { icon: "play", kind: "small", onclick: () => this._renderNow() });
    this.older = h("div", { class: "wb-row wb-older", hidden: true }, h("span", { class: "wb-quiet", text: OLDER }), this.renderNow);
    this.next = button("Go to variations", { icon: "arrow", kind: "primary", onclick: () => this.go(2) });
    this.tune = button("Tune it first", { onclick: () => this._tune() });
    this.parameters = h(
      "div",
      {},
      h("h3", { class: "wb-section", text: "Parameters" }),
      this.chipsNotice.el,
      this.chips.el,
    );
    this.moves = h("div", { class: "wb-row wb-next" }, this.next, this.tune);
    this.after = h("div");
    return h(
      "div",
      { class: "wb-prompt-result", hidden: true },
      h(
        "div",
        { class: "wb-prompt-main" },
        this.draft.el,
        this.text.el,
        this.parameters,
        this.after,
      ),
      h(
        "aside",
        { class: "wb-prompt-side", "aria-label": "First video" },
        this.player.el,
        this.line.el,
        this.older,
        this.caption,
        this.moves,
      ),
    );
  }

  update() {
    const { store } = this;
    const entry = this._base();
    const working = store.busy("enhance");
    attribute(this.submit, "disabled", working || !this.input.value.trim());
    attribute(this.submit, "data-working", working);
    attribute(this.el, "aria-busy", working ? "true" : null);
    put(this.submit.lastChild, working ? "Enhancing…" : entry ? "Enhance again" : "Enhance");
    const writing = working && (this.slow || store.growing !== "");
    const open = Boolean(entry) || writing;
    const place = entry ? this.after : this.before;
    if (this.camera.el.parentNode !== place) place.append(this.camera.el);
    this.camera.update();
    attribute(this.el, "data-has-prompt", open);
    show(this.lead, !open);
    show(this.examples, !open);
    put(this.title, open ? "Your idea" : "What should happen?");
    show(this.result, open);
    show(this.stop, writing);
    show(this.draft.el, writing);
    attribute(this.result, "data-writing", writing);
    for (const node of [this.text.el, this.parameters, this.moves]) show(node, !writing);
    if (writing) {
      this.draft.update(store.growing, this.input.value);
      this._showSketch(store.sketch ?? this.sketch);
      this.line.update(null);
      show(this.older, false);
      return;
    }
    if (!entry) {
      if (this.shown && this.input.value.trim() === this.filled) this.input.value = ""; // else it is a new idea
      this.shown = null;
      this._showSketch(null);
      return;
    }
    this._showEntry(entry);
  }

  _showEntry(entry) {
    const { store } = this;
    const rough = roughOf(store, entry);
    if (this.shown !== store.session.id) {
      this.shown = store.session.id;
      const typed = this.input.value.trim();
      if (!typed || typed === this.filled) this.input.value = rough; // else it is a new idea
      this.filled = rough;
    }
    this.text.update(entry, { typed: rough });
    this.chips.update(entry.scene);
    const own = store.jobOf(entry.index);
    const job = own ?? nearestJob(store, entry);
    const older = Boolean(job) && !own;
    this.line.update(older && isComplete(job) ? null : job);
    show(this.older, older);
    attribute(this.renderNow, "data-working", store.busy("render"));
    attribute(this.renderNow, "disabled", store.busy("render"));
    if (this.sketch && job && !hasEnded(job) && !isShown(job, store)) return; // keep the storyboard until then
    this._tellSketch(null);
    this.player.update(job);
  }

  /** While the prompt is being written, show a storyboard of the idea as typed. */
  _showSketch(sketch) {
    const drawn = Boolean(sketch) && isShown(sketch, this.store);
    const waits = this.store.busy("enhance") && !drawn;
    this.player.update(drawn ? sketch : null, waits ? "The first video starts as soon as the prompt is ready." : "");
    this._tellSketch(drawn ? sketch : null);
  }

  _tellSketch(sketch) {
    this.sketch = sketch;
    put(this.caption, sketch ? "A storyboard of your words as you typed them. The first video replaces it once the prompt is ready." : "");
    show(this.caption, Boolean(sketch));
  }

  /** The prompt shown on this screen. */
  _base() {
    return this.store.entry(baseIndex(this.store));
  }

  async _enhance() {
    const text = this.input.value.trim();
    if (!text || this.store.busy("enhance")) return;
    const { draft, newSeeds } = this.store.view;
    this.store.growing = "";
    this.sketch = null;
    const slow = setTimeout(() => this._goSlow(true), SLOW_MS);
    const answer = await this.notice.guard(() => this.store.call("enhance", { text, settings: draft, new_seeds: newSeeds }, "enhance"));
    clearTimeout(slow);
    this._goSlow(false);
    if (!answer || answer.stopped) return; // keep the typed text
    this.store.set({ base: answer.index, current: answer.index });
    if (answer.warning) this.notice.say(`The prompt is ready, but its video could not start: ${answer.warning}`);
    this.text.arrive();
  }

  /** While waiting for the answer, show where it will appear. */
  _goSlow(on) {
    this.slow = on;
    this.store.emit();
  }

  _stop() {
    this.notice.guard(() => this.store.call("stop_writing", {}, "stop_writing"));
  }

  _renderNow() {
    const args = { index: this._base().index };
    this.chipsNotice.guard(() => this.store.call("render", args, "render"));
  }

  _take(name, args) {
    return this.chipsNotice.guard(async () => {
      const answer = await this.store.call(name, args, "prompt");
      if (answer) this.store.set({ base: answer.index, current: answer.index });
      return answer;
    });
  }

  _change(args) {
    return this._take("set_parameters", { index: this._base().index, ...args });
  }

  _tune() {
    this.store.set({ current: this._base().index });
    this.go(3);
  }
}
