// Keyboard control of the results: arrows move, a letter acts on the focused video.

export class WallKeys {
  /** `order()` are the ids of the videos as they are shown; `acts` by key, each called with the focused card. */
  constructor(wall, { order, acts }) {
    this.wall = wall;
    this.order = order;
    this.acts = acts;
    wall.el.addEventListener("keydown", (event) => this._key(event));
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const card = this.wall.holding(event.target)?.card;
    if (!card || event.target.closest("textarea, select, input:not([type=checkbox])")) return;
    if (event.key.startsWith("Arrow")) this._move(event, card);
    const act = this.acts[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act(card);
  }

  _move(event, card) {
    const ids = this.order();
    const columns = getComputedStyle(this.wall.el).gridTemplateColumns.split(" ").length;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const next = ids[ids.indexOf(card.job.job_id) + by];
    event.preventDefault();
    if (next) this.wall.card(next)?.open.focus();
  }
}
