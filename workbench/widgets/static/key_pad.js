// What is held on the camera's keys, frame by frame, as a path: "w-12,jw-4".

import { HeldKeys } from "./held_keys.js";

const FRAME_MS = 1000 / 16; // the rate of the keys
const TAP = 8; // frames of a tap: half a second
const TOLD_EVERY = 2;

export class KeyPad {
  /** `hold(keys)` shows the keys held so far, `done(keys)` sets them. */
  constructor({ hold, done }) {
    this.hold = hold;
    this.done = done;
    this.frames = [];
    this.keys = new HeldKeys({
      pressed: () => (this.timer ??= setInterval(() => this._tick(), FRAME_MS)),
      released: (key) => this._released(key),
      clicked: (key) => done(`${key}-${TAP}`),
    });
    this.el = this.keys.el;
  }

  listen(root) {
    this.keys.listen(root);
  }

  _released(key) {
    if (this.keys.held.size) return;
    while (this.frames.length < TAP) this.frames.push(key);
    clearInterval(this.timer);
    this.timer = null;
    const text = segments(this.frames);
    this.frames = [];
    this.done(text);
  }

  _tick() {
    this.frames.push(this.keys.text);
    if (this.frames.length % TOLD_EVERY === 0) this.hold(segments(this.frames));
  }
}

/** Frames as keys: "w-12,jw-4". */
function segments(frames) {
  const runs = [];
  for (const keys of frames) {
    const last = runs[runs.length - 1];
    if (last?.keys === keys) last.count += 1;
    else runs.push({ keys, count: 1 });
  }
  return runs.map(({ keys, count }) => `${keys}-${count}`).join(",");
}
