// Error messages beside their cause, and screen-reader announcements.

import { button, h, icon, put, show } from "./dom.js";

/** An error message beside its cause. */
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

  /** Run `work`; show the kernel's error here and return undefined. */
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

/** Announces progress to screen readers, at a limited rate. */
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
