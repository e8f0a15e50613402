// Compares two or four videos: side by side, or with a wipe.

import { ChangeList, changesOf } from "./changes.js";
import { attribute, button, h, put, show, swapIcon } from "./dom.js";
import { isComplete } from "./job.js";
import { Player } from "./media.js";
import { Playback } from "./playback.js";

const HALF = 50;

const CORNERS = ["top left", "top right", "bottom left", "bottom right"];

const MOST = 4;

export class Compare {
  constructor(store) {
    this.store = store;
    this.players = [];
    this.stage = h("div", {
      class: "wb-compare-stage",
      onpointerdown: (event) => this._grab(event),
      onpointermove: (event) => this._drag(event),
      onpointerup: () => this._let(),
      onpointercancel: () => this._let(),
      "onwb-ready": () => {
        this.playback.startOnce();
        this.playback.join();
      },
    });
    this.playback = new Playback(() => this.players.filter((one) => one.loaded).map((one) => one.video));
    this.wipeButton = h("button", { type: "button", class: "wb-toggle", text: "Wipe", "aria-pressed": "true", onclick: () => this._mode(true) });
    this.sideButton = h("button", { type: "button", class: "wb-toggle", text: "Side by side", "aria-pressed": "false", onclick: () => this._mode(false) });
    this.sound = button("Sound", { icon: "mute", bare: true, "aria-pressed": "false", onclick: () => this._hear(!this.hearing) });
    this.across = this._slider("Wipe across", "--wb-x");
    this.down = this._slider("Wipe down", "--wb-y");
    this.captions = h("dl", { class: "wb-compare-captions" });
    this.el = h(
      "dialog",
      { class: "wb-dialog wb-compare", "aria-label": "Compare videos", onclose: () => this._closed() },
      h("div", { class: "wb-dialog-head" }, h("h2", { text: "Compare" }), h("span", { class: "wb-row" }, this.sound, this.wipeButton, this.sideButton), button("Close", { icon: "close", bare: true, onclick: () => this.el.close() })),
      this.stage,
      h("div", { class: "wb-wipes" }, this.across.el, this.down.el),
      this.playback.el,
      this.captions,
    );
  }

  open(ids) {
    const jobs = ids.map((id) => this.store.jobs[id]).filter((job) => isComplete(job));
    if (jobs.length < 2) return;
    this.jobs = jobs.length < MOST ? jobs.slice(0, 2) : jobs.slice(0, MOST);
    this.players = this.jobs.map((job, place) => this._player(job, place));
    this.stage.replaceChildren(...this.players.map((one, place) => this._pane(one, place)));
    this.shown = 0;
    this._hear(false);
    show(this.sound, this.jobs.some((job) => job.has_audio));
    attribute(this.stage, "data-count", this.jobs.length);
    this.captions.replaceChildren(...this.jobs.flatMap((job, place) => [h("dt", { text: this._place(place) }), h("dd", { title: job.prompt }, this._words(job))]));
    show(this.down.el, this.jobs.length === MOST);
    this._set("--wb-x", 50);
    this._set("--wb-y", 50);
    this._mode(true);
    this.el.showModal();
  }

  _player(job, place) {
    const player = new Player(this.store, { auto: false, sound: false });
    player.update(job);
    attribute(player.video, "aria-label", `${this._place(place)}: ${job.prompt.slice(0, 120)}`);
    return player;
  }

  _pane(player, place) {
    const look = () => this.stage.dataset.mode === "side" && this._see(place);
    const number = h("span", { class: "wb-card-number", text: this._place(place) });
    return h("div", { class: "wb-compare-pane", tabindex: 0, "aria-label": this._place(place), role: "group", onpointerenter: look, onfocusin: look }, player.el, number);
  }

  // play the sound of the video that is mostly visible or, side by side, under the pointer

  _see(place) {
    this.shown = place;
    this._hear(this.hearing);
  }

  _hear(on) {
    this.hearing = on;
    for (const [place, { video }] of this.players.entries()) video.muted = !(on && place === this.shown);
    attribute(this.sound, "aria-pressed", String(on));
    swapIcon(this.sound, on ? "sound" : "mute");
  }

  _largest() {
    const [right, below] = [this.across, this.down].map(({ input }) => Number(input.value) < HALF);
    this._see(Number(right) + (this.jobs.length === MOST && below ? 2 : 0));
  }

  _place(place) {
    return this.jobs.length === 2 ? ["Left", "Right"][place] : CORNERS[place];
  }

  _words(job) {
    const entry = this.store.entry(job.entry_index);
    const made = changesOf(entry);
    if (!made.length) return job.prompt;
    const list = new ChangeList();
    list.update(made);
    return list.el;
  }

  // the wipe follows the pointer

  _grab(event) {
    if (this.stage.dataset.mode !== "wipe") return;
    this.stage.setPointerCapture(event.pointerId);
    this.dragging = true;
    this._drag(event);
  }

  _drag(event) {
    if (!this.dragging) return;
    const box = this.stage.getBoundingClientRect();
    const percent = (value, size) => Math.round(Math.min(100, Math.max(0, (value / size) * 100)));
    this._set("--wb-x", percent(event.clientX - box.left, box.width));
    if (this.jobs.length === MOST) this._set("--wb-y", percent(event.clientY - box.top, box.height));
  }

  _let() {
    this.dragging = false;
  }

  _slider(label, name) {
    const input = h("input", { type: "range", class: "wb-scrub", min: 0, max: 100, value: 50, oninput: () => this._set(name, Number(input.value)) });
    const el = h("label", {}, h("span", { class: "wb-quiet", text: label }), input);
    return { el, input, name };
  }

  _set(name, percent) {
    this.stage.style.setProperty(name, `${percent}%`);
    for (const slider of [this.across, this.down]) if (slider.name === name) slider.input.value = percent;
    if (this.stage.dataset.mode !== "side") this._largest();
  }

  _mode(wipe) {
    attribute(this.stage, "data-mode", wipe ? "wipe" : "side");
    attribute(this.wipeButton, "aria-pressed", String(wipe));
    attribute(this.sideButton, "aria-pressed", String(!wipe));
    show(this.across.el.parentElement, wipe);
    if (wipe) this._largest();
  }

  _closed() {
    this.playback.stop();
    this.playback.started = false;
    for (const player of this.players) player.dispose();
    this.players = [];
    this.stage.replaceChildren();
    put(this.captions, "");
  }
}
