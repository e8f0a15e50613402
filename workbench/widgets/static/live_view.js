// The live view: walk through the world of a prompt with held keys; every walk becomes a video.

import { attribute, button, h, put, show, swapIcon } from "./dom.js";
import { HeldKeys } from "./held_keys.js";
import { LiveFeed } from "./live_feed.js";
import { LiveStage, seconds } from "./live_stage.js";
import { Announcer, Notice } from "./notice.js";

const TAP_MS = 500;
const FIRST_S = 5;
const LAST_S = 5;
const GOES_ON = "A server's world cannot be paused.";
const WORLDS = { animatic: "The storyboard's world", realtime: "The server's world" };
const TOLD_MS = 30_000;
const HOW = "W A S D move, I J K L turn: held on the keyboard or as buttons. P pauses. Every walk of a second or more is recorded as a video when it ends.";

export class LiveView {
  /** `camera`: the prompt at hand and its camera; `results()` goes to the videos. */
  constructor(store, camera, { results, signal }) {
    this.store = store;
    this.camera = camera;
    this.results = results;
    this.world = null;
    this.elapsed_s = 0;
    this.notice = new Notice();
    this.aloud = new Announcer();
    this.feed = new LiveFeed(store, { drawn: (message) => this._drawn(message), over: (message) => this._over(message) }, signal);
    this.stage = new LiveStage(this.feed.canvas);
    this.keys = new HeldKeys({ pressed: () => this._held(), released: () => this._held(), clicked: (key) => this._tap(key) });
    this.el = h(
      "dialog",
      { class: "wb-dialog wb-live", "aria-label": "Walk through it live", onkeydown: (event) => this._key(event), oncancel: (event) => this._cancelled(event), onclose: () => this._closed() },
      this._head(),
      this.stage.el,
      this.notice.el,
      h("div", { class: "wb-live-hands" }, this.keys.el, this._tools()),
      h("p", { class: "wb-quiet", text: HOW }),
      this.aloud.el,
    );
    this.keys.listen(this.el);
    this.toast = this._toast();
    const heard = (message) => message.kind === "live_recorded" && this._recorded(message);
    store.model.on("msg:custom", heard);
    signal?.addEventListener("abort", () => store.model.off("msg:custom", heard));
    document.addEventListener("visibilitychange", () => document.hidden && this._hidden(), { signal });
    this._become("closed");
  }

  _head() {
    const engines = this.store.config.live_engines;
    const choices = engines.map((name) => h("option", { value: name, text: WORLDS[name] ?? name }));
    this.worlds = h("select", { "aria-label": "Whose world", hidden: engines.length < 2, onchange: () => this._begin() }, choices);
    return h("div", { class: "wb-dialog-head" }, h("h2", { text: "Live" }), this.worlds, button("Close", { icon: "close", bare: true, onclick: () => this.el.close() }));
  }

  _tools() {
    this.go = button("Pause", { icon: "pause", onclick: () => this._toggle() });
    this.again = button("Start over", { icon: "undo", onclick: () => this._begin() });
    this.path = button("Use as camera path", { icon: "camera", title: "The next renders follow this path", onclick: () => this._use() });
    this.keep = button("Keep as video", { icon: "check", kind: "primary", onclick: () => this._keep() });
    this.look = button("Show in Results", { icon: "arrow", kind: "primary", onclick: () => this._show() });
    return h("div", { class: "wb-row wb-live-tools" }, this.go, this.again, this.path, this.keep, this.look);
  }

  /** What is said of a walk once the view is closed. */
  _toast() {
    this.where = h("span", { role: "status" });
    this.there = button("Show in Results", { icon: "arrow", kind: "small", onclick: () => this._show() });
    return h("div", { class: "wb-toast", hidden: true }, this.where, this.there, button("Dismiss", { icon: "close", bare: true, onclick: () => show(this.toast, false) }));
  }

  /** Ask for walks that were cut off, such as by the end of the kernel. */
  async recover() {
    const found = await this.store.call("live_left").catch(() => []);
    if (found.length) this._tellWhere(`${found.length === 1 ? "A walk that was cut off is" : `${found.length} walks that were cut off are`} recorded: see Results.`);
  }

  open() {
    this.el.showModal();
    this.stage.focus();
    this._begin();
  }

  /** Leave the world as the page goes. */
  dispose() {
    this.feed.tell("live_end");
  }

  async _begin() {
    this.keys.releaseAll();
    this._take(null);
    this._become("opening");
    const asked = {};
    this.begun = asked;
    const world = await this.notice.guard(() => this.store.call("live_begin", { ...this.camera.shown, engine: this.worlds.value }));
    if (asked !== this.begun) return;
    if (world) this._take(world);
    this._become(!world ? "failed" : world.rests ? "ready" : "walking");
    if (this.keys.held.size) this._held(); // pressed while it was opened
  }

  /** Show this world from its beginning; null for none. */
  _take(world) {
    this.world = world;
    this.elapsed_s = 0;
    this.feed.follow(world);
    this.stage.begin(world);
    if (world && (!this.el.contains(document.activeElement) || document.activeElement === this.again)) this.stage.focus();
  }

  // what comes from the kernel

  _drawn(message) {
    const { world } = this;
    this.elapsed_s = message.frame / world.fps;
    const note = message.note || (!world.rests && this.elapsed_s < FIRST_S ? GOES_ON : "");
    this.stage.follow({ ...message, note }, this.elapsed_s);
    this._offer();
    this.stage.wait(this.state === "walking");
    if (note) this.aloud.say(note);
    else if (this.state === "walking" && world.limit_s - this.elapsed_s < LAST_S) this.aloud.say(`${LAST_S} seconds are left.`);
  }

  _over({ error, limit }) {
    if (error) this.notice.say(error);
    this.keys.releaseAll();
    this._become(limit ? "full" : "broken");
  }

  /** Say where a walk went: it has ended by itself, or was left. */
  _recorded({ world, seconds: lasted, error }) {
    if (world === this.world?.world) {
      if (error) return this.notice.say(error);
      this.elapsed_s = lasted;
      return this._become("kept");
    }
    this._tellWhere(error || `Your walk of ${seconds(lasted)} is recorded: a video in Results.`, !error);
    return undefined;
  }

  _tellWhere(text, isThere = true) {
    put(this.where, text);
    show(this.there, isThere);
    show(this.toast, true);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => show(this.toast, false), TOLD_MS);
  }

  // what a person does

  _held() {
    this.feed.tell("live_hold", { keys: this.keys.text });
    if (this.keys.held.size && ["ready", "paused"].includes(this.state)) this._run(true);
  }

  /** Hold a key for half a second. */
  _tap(key) {
    this.keys.press(key);
    setTimeout(() => this.keys.release(key), TAP_MS);
  }

  _key(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.el.close();
    } else if (event.key.toLowerCase() === "p" && !event.repeat && !event.ctrlKey && !event.metaKey && !event.target.closest("select")) {
      this._toggle();
    }
  }

  _cancelled(event) {
    event.preventDefault(); // the browser's own way out, such as a back gesture
    this.el.close();
  }

  _toggle() {
    if (!this.world?.rests) return;
    if (this.state === "walking") this._run(false);
    else if (["ready", "paused"].includes(this.state)) this._run(true);
  }

  _run(on) {
    this.feed.tell("live_run", { on });
    this._become(on ? "walking" : "paused");
  }

  _hidden() {
    this.keys.releaseAll();
    if (this.state === "walking" && this.world.rests) this._run(false);
  }

  async _keep() {
    const { world, state } = this;
    this._become("keeping");
    this.keys.releaseAll();
    const kept = await this.notice.guard(() => this.store.call("live_keep", { world: world.world }, "live_keep"));
    if (world !== this.world) return;
    if (kept) this.elapsed_s = kept.seconds;
    this._become(kept ? "kept" : state === "full" ? "full" : "broken");
    (kept ? this.look : this.keep).focus();
  }

  async _use() {
    if (this.state === "walking") this._toggle();
    await this.notice.guard(async () => {
      const said = await this.store.call("live_keys", { world: this.world.world });
      if (!(await this.camera.commit({ do: "say", said }))) throw new Error(this.camera.error);
      this._say("The next renders follow this path.");
    });
  }

  _show() {
    show(this.toast, false);
    this.el.close();
    this.results();
  }

  _closed() {
    this.begun = null;
    this.feed.tell("live_end");
    this._take(null);
    this.keys.releaseAll();
    this.notice.clear();
    this._become("closed");
  }

  // how it looks

  /** Whether anything was walked. */
  get walked() {
    return this.world !== null && this.elapsed_s > 0;
  }

  _become(state) {
    const { world } = this;
    this.state = state;
    attribute(this.el, "data-state", state);
    this._say(this._words(state));
    const runs = state === "walking";
    swapIcon(this.go, runs ? "pause" : "play");
    put(this.go.querySelector("span"), runs ? "Pause" : state === "ready" ? "Start" : "Continue");
    show(this.go, !world || world.rests);
    attribute(this.go, "disabled", !["ready", "walking", "paused"].includes(state));
    attribute(this.again, "disabled", ["opening", "keeping", "ready"].includes(state));
    show(this.keep, state !== "kept");
    show(this.look, state === "kept");
    this._offer();
    this.stage.clock(this.elapsed_s);
    this.stage.wait(runs);
  }

  /** Offer what can be done with a walk. */
  _offer() {
    const busy = ["keeping", "kept"].includes(this.state);
    attribute(this.keep, "disabled", !this.walked || busy);
    attribute(this.path, "disabled", !this.walked || this.state === "keeping");
  }

  _say(text) {
    this.stage.say(text);
    if (text) this.aloud.say(text);
  }

  _words(state) {
    const { world } = this;
    return {
      opening: "Opening the world…",
      ready: "Hold a key to start.",
      walking: "",
      paused: "Paused.",
      full: `The ${seconds(world?.limit_s ?? 0)} are over.`,
      broken: "The world has ended.",
      failed: "There is no world to show.",
      keeping: "Keeping it…",
      kept: `Recorded: a video of ${seconds(this.elapsed_s)} is being rendered.`,
      closed: "",
    }[state];
  }
}
