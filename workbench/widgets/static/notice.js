// Errors where they happened, and what is read aloud.

import { button, h, icon, put, show } from "./dom.js";

/** A line that says what went wrong beside the thing that went wrong. */
export class Notice {
  constructor() {
    this.text = h("span");
    this.el = h(
      "div",
      { class: "wb-notice", role: "alert", hidden: true },
      icon("warn"),
      this.text,
      button("Dismiss", { icon: "close", bare: true, onclick: () => this.clear() }),
    );
  }

  say(message) {
    put(this.text, message);
    show(this.el, true);
  }

  clear() {
    show(this.el, false);
    put(this.text, "");
  }

  /** Do `work`; an error of the kernel is said here, and undefined comes back. */
  async guard(work) {
    this.clear();
    try {
      return await work();
    } catch (error) {
      this.say(error.message);
      return undefined;
    }
  }
}

const QUIET_MS = 1500;

/** Reads progress aloud, not more often than one can listen to. */
export class Announcer {
  constructor() {
    this.el = h("div", { class: "wb-aloud", "aria-live": "polite", role: "status" });
    this.last = 0;
  }

  say(text) {
    if (text === this.wanted) return;
    this.wanted = text;
    clearTimeout(this.timer);
    const wait = Math.max(0, this.last + QUIET_MS - Date.now());
    this.timer = setTimeout(() => {
      this.last = Date.now();
      put(this.el, text);
    }, wait);
  }
}
