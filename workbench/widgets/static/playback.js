// Plays many videos in sync, with one play button, one position and one speed.

import { attribute, button, h, put, show, swapIcon } from "./dom.js";
import { stillness } from "./media.js";

const DRIFT_S = 0.12;
const CHECK_MS = 400;
const SPEEDS = [0.25, 0.5, 1, 1.5, 2];

/** Keeps `videos()`, those visible and loaded, at the position of one clock. */
export class Playback {
  constructor(videos) {
    this.videos = videos;
    this.playing = false;
    this.at = 0;
    this.stamp = 0;
    this.speed = 1;
    this.play = button("Play all", { icon: "play", kind: "primary", "aria-label": "Play all", onclick: () => this.toggle() });
    this.scrub = h("input", {
      type: "range",
      class: "wb-scrub",
      min: 0,
      max: 1000,
      value: 0,
      "aria-label": "Position in all videos",
      oninput: () => this.seek((this.scrub.value / 1000) * this.length),
    });
    this.time = h("span", { class: "wb-time", "aria-hidden": "true" });
    this.rate = h(
      "select",
      { "aria-label": "Speed of all videos", onchange: () => this.setSpeed(Number(this.rate.value)) },
      SPEEDS.map((speed) => h("option", { value: speed, text: `${speed} ×`, selected: speed === 1 })),
    );
    this.el = h("div", { class: "wb-playback", role: "group", "aria-label": "Playback" }, this.play, this.scrub, this.time, this.rate);
    this._draw();
  }

  get length() {
    return Math.max(0, ...this.videos().map((video) => video.duration || 0));
  }

  /** The position of the clock, in seconds. */
  get now() {
    if (!this.playing) return this.at;
    const elapsed = ((performance.now() - this.stamp) / 1000) * this.speed;
    return this.length ? (this.at + elapsed) % this.length : this.at;
  }

  toggle() {
    if (this.playing) this.pause();
    else this.start();
  }

  start() {
    if (!this.videos().length) return;
    this.stamp = performance.now();
    this.playing = true;
    this._align(true);
    this._tick();
    this._draw();
  }

  pause() {
    this.at = this.now;
    this.playing = false;
    clearTimeout(this.timer);
    for (const video of this.videos()) video.pause();
    this._draw();
  }

  seek(seconds) {
    this.at = seconds;
    this.stamp = performance.now();
    this._align(true);
    this._draw();
  }

  /** Pause, and step some frames back or forward. */
  frames(count, fps) {
    this.stop();
    const { length } = this;
    if (length) this.seek((this.at + count / fps + length) % length);
  }

  setSpeed(speed) {
    this.at = this.now;
    this.stamp = performance.now();
    this.speed = speed;
    this._align(true);
  }

  /** A video has loaded: bring it into sync. */
  join() {
    this._align(false);
    this._draw();
  }

  /** Start playing once, unless the user prefers reduced motion. */
  startOnce() {
    if (this.started || stillness.matches || !this.videos().length) return;
    this.started = true;
    this.start();
  }

  stop() {
    if (this.playing) this.pause();
  }

  _tick() {
    clearTimeout(this.timer);
    if (!this.playing) return;
    this._align(false);
    this._draw();
    this.timer = setTimeout(() => this._tick(), CHECK_MS);
  }

  _align(exactly) {
    const { now } = this;
    for (const video of this.videos()) {
      if (!video.duration) continue;
      video.playbackRate = this.speed;
      const wanted = now % video.duration;
      const gap = Math.abs(video.currentTime - wanted);
      const away = Math.min(gap, video.duration - gap); // across the end of the loop
      if (exactly || away > DRIFT_S) video.currentTime = wanted;
      if (this.playing && video.paused) video.play().catch(() => {});
      if (!this.playing && !video.paused) video.pause();
    }
  }

  _draw() {
    const { length } = this;
    const now = this.now;
    if (document.activeElement !== this.scrub || this.playing) this.scrub.value = length ? (now / length) * 1000 : 0;
    attribute(this.scrub, "aria-valuetext", `${now.toFixed(1)} of ${length.toFixed(1)} seconds`);
    put(this.time, `${now.toFixed(1)} / ${length.toFixed(1)} s`);
    swapIcon(this.play, this.playing ? "pause" : "play");
    put(this.play.lastChild, this.playing ? "Pause" : "Play all");
    attribute(this.play, "aria-label", this.playing ? "Pause" : "Play all");
    attribute(this.play, "disabled", !length && !this.playing);
    show(this.el, true);
  }
}
