// Keyboard control of the results: arrows move, a letter acts on the focused video.

import { h } from "./dom.js";
import { keyRows, WALL } from "./key_help.js";

export class WallKeys {
  /** `cards()` in order; `acts` by key, each called with the focused card. */
  constructor(grid, { cards, acts }) {
    this.grid = grid;
    this.cards = cards;
    this.acts = acts;
    grid.addEventListener("keydown", (event) => this._key(event));
    this.el = h(
      "details",
      { class: "wb-keyhelp" },
      h("summary", { text: "Keys" }),
      h("dl", {}, keyRows(WALL)),
    );
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const card = this.cards().find((one) => one.el.contains(event.target));
    if (!card || event.target.closest("textarea, select, input:not([type=checkbox])")) return;
    if (event.key.startsWith("Arrow")) this._move(event, card);
    const act = this.acts[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act(card);
  }

  _move(event, card) {
    const cards = this.cards();
    const columns = getComputedStyle(this.grid).gridTemplateColumns.split(" ").length;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const next = cards[cards.indexOf(card) + by];
    event.preventDefault();
    next?.open.focus();
  }
}
