// The sound of videos: muted by default, and on for one video at a time.

import { attribute, button, show, swapIcon } from "./dom.js";

let heard = null;

/** Mute the previous video when another one is unmuted; call whenever a video's mute state changes. */
function one(video) {
  if (video.muted) {
    if (heard === video) heard = null;
    return;
  }
  if (heard && heard !== video) heard.muted = true;
  heard = video;
}

/** Whenever `video` is unmuted, mute all others. */
export function alone(video) {
  video.addEventListener("volumechange", () => one(video));
}

/** A button that turns the sound of `video` on and off. */
export class SoundSwitch {
  constructor(video) {
    this.video = video;
    this.el = button("Sound", { icon: "mute", bare: true, kind: "sound", hidden: true, "aria-pressed": "false", onclick: () => this.toggle() });
    video.addEventListener("volumechange", () => this._draw());
  }

  /** Show the switch for a video with sound. */
  update(hasAudio) {
    show(this.el, hasAudio);
  }

  toggle() {
    this.video.muted = !this.video.muted;
    one(this.video); // the event comes later
    this._draw();
  }

  _draw() {
    attribute(this.el, "aria-pressed", String(!this.video.muted));
    swapIcon(this.el, this.video.muted ? "mute" : "sound");
  }
}
