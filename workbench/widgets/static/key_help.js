// The list of keys, which ? opens on every step.

import { button, h } from "./dom.js";

const WALL = [
  ["← ↑ ↓ →", "move"],
  ["Enter", "view"],
  ["P", "play or pause all"],
  ["C", "choose to compare"],
  ["V", "compare the chosen"],
  ["S", "star"],
  ["U", "use its prompt"],
  ["R", "again, another seed"],
  ["Delete", "delete it"],
  [", .", "one frame back or on, in all videos"],
];
const EVERYWHERE = [
  ["?", "this list"],
  ["Ctrl or ⌘ + Enter", "enhance the idea, or keep an edited text"],
  ["Enter", "send what should be different"],
  ["Esc", "close a panel, leave an edit, or stop a language model"],
];
const VIEWER = [
  ["← →", "the video before or after"],
  [", .", "one frame back or on"],
];
const VOTES = [
  ["← →", "the left or the right one is better"],
  ["↓", "cannot say"],
];

function keyRows(keys) {
  return keys.flatMap(([key, words]) => [h("dt", {}, h("kbd", { text: key })), h("dd", { text: words })]);
}

export class KeyHelp {
  constructor() {
    const part = (title, keys) => h("section", {}, h("h3", { text: title }), h("dl", { class: "wb-keys-list" }, keyRows(keys)));
    this.el = h(
      "dialog",
      { class: "wb-dialog", "aria-label": "Keys" },
      h("div", { class: "wb-dialog-head" }, h("h2", { text: "Keys" }), button("Close", { icon: "close", bare: true, onclick: () => this.el.close() })),
      part("Everywhere", EVERYWHERE),
      part("On a video of the results", WALL),
      part("In the large view", VIEWER),
      part("Between two drafts, in Best of", VOTES),
    );
  }

  /** Open by ? anywhere in `root` but in a text; where nothing has the focus, in a page of its own. */
  listen(root, signal) {
    const heard = (event) => {
      const here = root.contains(event.target) || (event.target === document.body && document.body.dataset.voila);
      if (!here || event.key !== "?" || event.target.closest("input:not([type=checkbox], [type=range]), textarea, select, dialog")) return;
      event.preventDefault();
      if (!this.el.open) this.el.showModal();
    };
    document.addEventListener("keydown", heard, { signal });
  }
}
