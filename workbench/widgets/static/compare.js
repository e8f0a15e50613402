// Two or four videos held against each other: side by side, or under one wipe.

import { attribute, button, h, put, show } from "./dom.js";
import { address } from "./media.js";
import { Playback } from "./playback.js";

const CORNERS = ["top left", "top right", "bottom left", "bottom right"];

export class Compare {
  constructor(store) {
    this.store = store;
    this.stage = h("div", { class: "wb-compare-stage" });
    this.playback = new Playback(() => this.videos ?? []);
    this.wipeButton = h("button", { type: "button", class: "wb-toggle", text: "Wipe", "aria-pressed": "true", onclick: () => this._mode(true) });
    this.sideButton = h("button", { type: "button", class: "wb-toggle", text: "Side by side", "aria-pressed": "false", onclick: () => this._mode(false) });
    this.across = this._slider("Wipe across", "--wb-x");
    this.down = this._slider("Wipe down", "--wb-y");
    this.captions = h("dl", { class: "wb-compare-captions" });
    this.el = h(
      "dialog",
      { class: "wb-dialog wb-compare", "aria-label": "Compare videos", onclose: () => this._closed() },
      h("header", { class: "wb-dialog-head" }, h("h2", { text: "Compare" }), h("span", { class: "wb-row" }, this.wipeButton, this.sideButton), button("Close", { icon: "close", bare: true, onclick: () => this.el.close() })),
      this.stage,
      h("div", { class: "wb-wipes" }, this.across.el, this.down.el),
      this.playback.el,
      this.captions,
    );
  }

  open(ids) {
    const jobs = ids.map((id) => this.store.jobs[id]).filter((job) => job?.complete);
    if (jobs.length < 2) return;
    this.jobs = jobs.length < 4 ? jobs.slice(0, 2) : jobs.slice(0, 4);
    this.videos = this.jobs.map((job, place) => this._video(job, place));
    this.stage.replaceChildren(...this.videos.map((video) => h("div", { class: "wb-compare-pane" }, video)));
    attribute(this.stage, "data-count", this.jobs.length);
    this.captions.replaceChildren(...this.jobs.flatMap((job, place) => [h("dt", { text: this._place(place) }), h("dd", { text: this._words(job), title: job.prompt })]));
    show(this.down.el, this.jobs.length === 4);
    this._set("--wb-x", 50);
    this._set("--wb-y", 50);
    this._mode(true);
    this.el.showModal();
  }

  _video(job, place) {
    const video = h("video", {
      loop: true,
      playsinline: true,
      preload: "auto",
      src: address(job.video, job.attempt),
      "aria-label": `${this._place(place)}: ${job.prompt.slice(0, 120)}`,
      onloadeddata: () => {
        this.playback.startOnce();
        this.playback.join();
      },
    });
    video.muted = true;
    return video;
  }

  _place(place) {
    return this.jobs.length === 2 ? ["Left", "Right"][place] : CORNERS[place];
  }

  _words(job) {
    const entry = this.store.entry(job.entry);
    const changes = entry?.changes.map((change) => change.sentence).join(", ");
    return changes && entry.kind !== "enhanced" ? changes : `The original: ${job.prompt}`;
  }

  _slider(label, name) {
    const input = h("input", { type: "range", class: "wb-scrub", min: 0, max: 100, value: 50, oninput: () => this._set(name, Number(input.value)) });
    const el = h("label", {}, h("span", { class: "wb-quiet", text: label }), input);
    return { el, input, name };
  }

  _set(name, percent) {
    this.stage.style.setProperty(name, `${percent}%`);
    for (const slider of [this.across, this.down]) if (slider.name === name) slider.input.value = percent;
  }

  _mode(wipe) {
    attribute(this.stage, "data-mode", wipe ? "wipe" : "side");
    attribute(this.wipeButton, "aria-pressed", String(wipe));
    attribute(this.sideButton, "aria-pressed", String(!wipe));
    show(this.across.el.parentElement, wipe);
  }

  _closed() {
    this.playback.stop();
    this.playback.started = false;
    this.stage.replaceChildren();
    this.videos = [];
    put(this.captions, "");
  }
}
