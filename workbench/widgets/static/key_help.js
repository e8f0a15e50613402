// The list of keys, which ? opens on every step.

import { button, h } from "./dom.js";

const WALL = [
  ["← ↑ ↓ →", "move"],
  ["Home, End", "the first or the last video"],
  ["Enter", "view"],
  ["P", "play or pause all"],
  ["C", "choose to compare"],
  ["V", "compare the chosen"],
  ["S", "star"],
  ["U", "use its prompt"],
  ["R", "render it again with another seed"],
  ["Delete", "delete it"],
  [", .", "one frame back or forward, in all videos"],
];
const EVERYWHERE = [
  ["?", "this list"],
  ["Ctrl or ⌘ + Enter", "enhance the idea, or keep an edited text"],
  ["Enter", "send what should be different"],
  ["Esc", "close a panel, leave an edit, or stop a language model"],
];
const CAMERA = [
  ["W A S D", "hold to move the camera"],
  ["I J K L", "hold to turn it"],
  ["← ↑ ↓ →", "move the keyframe in focus; with Shift, turn it"],
  ["Page ↑ ↓", "raise or lower it"],
  ["Enter, Delete", "add a keyframe, remove the one in focus"],
];
const LIVE = [
  ["W A S D, I J K L", "hold to move and to turn"],
  ["P", "pause, continue"],
  ["Esc", "close"],
];
const VIEWER = [
  ["← →", "previous or next video"],
  [", .", "one frame back or forward"],
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
      part("In the camera panel", CAMERA),
      part("In the live view", LIVE),
      part("In the large view", VIEWER),
      part("Between two drafts, in Best of", VOTES),
    );
  }

  /** Open on ? anywhere in `root` except in a text field; in a page of its own also without focus. */
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
