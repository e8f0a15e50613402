// A prompt while it is being written: shimmering lines, then its words as they arrive.

import { attribute, h } from "./dom.js";
import { ownWords } from "./words.js";

const LINES = ["96%", "100%", "92%", "98%", "64%"];

export class Draft {
  constructor() {
    this.words = h("div", { class: "wb-draft-words", "aria-hidden": "true" });
    this.lines = h("div", { class: "wb-draft-lines" }, LINES.map((width) => h("i", { style: `width: ${width}` })));
    this.el = h("div", { class: "wb-draft", role: "status", hidden: true }, h("span", { class: "wb-aloud", text: "The prompt is being written." }), this.words, this.lines);
  }

  update(text, typed) {
    attribute(this.el, "data-growing", text !== "");
    if (text === this.text) return;
    this.text = text;
    this.words.replaceChildren(...ownWords(typed, text).map((run) => (run.mine ? h("mark", { class: "wb-mine", text: run.text }) : run.text)));
  }
}
