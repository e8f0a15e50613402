// Tags: words with a # in the notes of videos, added to all chosen videos.

import { button, h, show, submitOnEnter } from "./dom.js";
import { Notice } from "./notice.js";
import { plural } from "./words.js";

const NOT_A_TAG = /[^\p{L}\p{N}_-]+/gu;

export class Tagging {
  /** `chosen()` are the ids of the videos to tag. */
  constructor(store, chosen) {
    this.store = store;
    this.chosen = chosen;
    this.notice = new Notice();
    this.input = h("input", { type: "text", maxlength: 40, placeholder: "tag", "aria-label": "Tag for the chosen videos", onkeydown: (event) => submitOnEnter(event, () => this._add()) });
    this.add = button("Tag", { onclick: () => this._add() });
    this.el = h("span", { class: "wb-row wb-tight wb-tagging", hidden: true }, this.input, this.add, this.notice.el);
  }

  update() {
    const { length } = this.chosen();
    show(this.el, length > 0);
    this.add.title = `Add this tag to ${plural(length, "video")}`;
  }

  _add() {
    const tag = this.input.value.replace(NOT_A_TAG, "");
    if (!tag) return this.input.focus();
    return this.notice.guard(async () => {
      await this.store.call("tag", { jobs: this.chosen(), tag }, "tag");
      this.input.value = "";
    });
  }
}
