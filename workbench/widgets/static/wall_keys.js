// Keyboard control of the results: arrows move, a letter acts on the focused video.

const MOVES = /^(Arrow.*|Home|End)$/;

export class WallKeys {
  /** `order()` returns the ids of the videos as shown; `acts` by key, each called with the focused card. */
  constructor(wall, { order, acts }) {
    this.wall = wall;
    this.order = order;
    this.acts = acts;
    wall.el.addEventListener("keydown", (event) => this._key(event));
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const card = this.wall.holding(event.target);
    if (!card || event.target.closest("textarea, select, input:not([type=checkbox])")) return;
    if (MOVES.test(event.key)) this._move(event, card);
    const act = this.acts[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act(card);
  }

  _move(event, card) {
    const ids = this.order();
    const { columns } = this.wall;
    const place = ids.indexOf(card.job.job_id);
    const to = { ArrowLeft: place - 1, ArrowRight: place + 1, ArrowUp: place - columns, ArrowDown: place + columns, Home: 0, End: ids.length - 1 }[event.key];
    event.preventDefault();
    if (ids[to]) this.wall.card(ids[to])?.open.focus();
  }
}
