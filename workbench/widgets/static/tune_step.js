// Step 3: change the prompt in conversation, see what changes, render it again.

import { CameraPanel } from "./camera_panel.js";
import { Chips } from "./chips.js";
import { Conversation } from "./conversation.js";
import { attribute, button, h, put, show } from "./dom.js";
import { isComplete } from "./job.js";
import { Player } from "./media.js";
import { Notice } from "./notice.js";
import { JobLine } from "./progress.js";
import { currentIndex, nearestJob } from "./places.js";
import { pointAt } from "./pointing.js";
import { PromptText } from "./prompt_text.js";
import { Takes } from "./takes.js";

export class TuneStep {
  constructor(store, { compare, bestOf, camera }) {
    this.store = store;
    this.camera = new CameraPanel(store, camera);
    this.notice = new Notice();
    const take = (index) => this.store.set({ current: index });
    this.conversation = new Conversation(store, { take });
    this.text = new PromptText(store, { save: (index, text) => this._take("accept", { index, text }), legend: true });
    this.chips = new Chips(store, {
      edit: (field, value) => this._change({ values: { [field]: value } }),
      lock: (field, on) => this._change(on ? { lock: [field] } : { unlock: [field] }),
      point: (value) => pointAt(this.text.text, value),
    });
    this.player = new Player(store, { controls: true });
    this.line = new JobLine(store);
    this.caption = h("p", { class: "wb-quiet" });
    this.apply = button("Apply changes & generate", { icon: "play", kind: "primary", onclick: () => this._apply() });
    this.best = button("Best of…", { icon: "spark", title: "Render many drafts of this prompt, and the best of them whole", onclick: () => bestOf() });
    this.takes = new Takes(store, { take, compare });
    this.title = h("h2", { tabindex: -1, text: "Tune" });
    this.el = h(
      "section",
      { class: "wb-step wb-step-tune" },
      h("header", { class: "wb-head" }, h("div", { class: "wb-head-words" }, this.title, h("p", { class: "wb-quiet", text: "Say what should change. Locked parameters stay as they are." }))),
      h(
        "div",
        { class: "wb-tune" },
        h("div", { class: "wb-tune-talk" }, this.conversation.el, h("div", { class: "wb-row wb-tune-acts" }, this.apply, this.best), this.notice.el),
        h(
          "div",
          { class: "wb-tune-now" },
          h("div", { class: "wb-tune-text" }, this.text.el),
          h("div", { class: "wb-tune-video" }, this.player.el, this.line.el, this.caption),
          h("details", { class: "wb-tune-chips", open: true }, h("summary", { text: "Parameters" }), this.chips.el),
          this.camera.el,
        ),
      ),
      this.takes.el,
    );
  }

  update() {
    const { store } = this;
    const entry = store.entry(currentIndex(store));
    if (!entry) return;
    const parent = store.entry(entry.parent);
    this.conversation.update(entry);
    this.text.update(entry, { before: parent && parent.kind !== "rough" ? parent : null });
    this.chips.update(entry.scene, entry.changes.map((change) => change.field));
    const own = store.jobOf(entry.index);
    const job = own ?? nearestJob(store, entry);
    this.player.update(job);
    this.line.update(!own && isComplete(job) ? null : job);
    put(this.caption, own || !job ? "" : "This is the video of the previous prompt; apply the changes to render this one.");
    show(this.caption, this.caption.textContent !== "");
    const working = store.busy("render");
    attribute(this.apply, "disabled", working);
    attribute(this.apply, "data-working", working);
    put(this.apply.lastChild, own ? "Generate again" : "Apply changes & generate");
    this.takes.update(entry);
    this.camera.update();
  }

  async _apply() {
    const index = currentIndex(this.store);
    await this.notice.guard(() => this.store.call("render", { index }, "render"));
  }

  _take(name, args) {
    return this.notice.guard(async () => {
      const answer = await this.store.call(name, args, "prompt");
      if (answer) this.store.set({ current: answer.index });
      return answer;
    });
  }

  _change(args) {
    return this._take("set_parameters", { index: currentIndex(this.store), ...args });
  }
}
