// Two videos of a run side by side: which is better? By mouse, or with the arrow keys.

import { button, h, put, show } from "./dom.js";
import { Player } from "./media.js";
import { Playback } from "./playback.js";
import { plural } from "./words.js";

const LETTERS = ["Left", "Right"];

export class VotePair {
  /** `vote({ better, worse, undecided })` records a vote. */
  constructor(store, vote) {
    this.store = store;
    this.vote = vote;
    this.pair = [];
    this.players = [];
    this.playback = new Playback(() => this.players.filter((one) => one.loaded).map((one) => one.video));
    this.stage = h("div", {
      class: "wb-vote-stage",
      "onwb-ready": () => {
        this.playback.startOnce();
        this.playback.join();
      },
    });
    this.left = button("This one", { kind: "small", "aria-label": "The left one is better", title: "Key: ←", onclick: () => this._say(0) });
    this.right = button("That one", { kind: "small", "aria-label": "The right one is better", title: "Key: →", onclick: () => this._say(1) });
    this.neither = button("Cannot say", { kind: "small", title: "Key: ↓", onclick: () => this._say(null) });
    this.count = h("span", { class: "wb-quiet", role: "status" });
    this.el = h(
      "section",
      { class: "wb-vote", tabindex: -1, "aria-label": "Which is better?" },
      h("div", { class: "wb-row wb-vote-head" }, h("h3", { text: "Which is better?" }), this.count),
      this.stage,
      h("div", { class: "wb-vote-acts" }, this.left, this.neither, this.right),
      h("p", { class: "wb-quiet wb-vote-keys" }, h("kbd", { text: "←" }), " this one ", h("kbd", { text: "↓" }), " cannot say ", h("kbd", { text: "→" }), " that one"),
    );
  }

  update(run) {
    const pair = run?.pair ?? [];
    show(this.el, pair.length === 2);
    put(this.count, run?.votes ? plural(run.votes, "vote") : "Your votes determine the weight of each critic.");
    const shown = pair.map((one) => one.job_id).join(" ");
    if (shown !== this.shown) this._show(pair);
    this.shown = shown;
    this.players.forEach((player, place) => player.update(this.store.jobs[pair[place].job_id]));
  }

  /** Handle the arrow keys anywhere in the dialog except in a field. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    const said = { ArrowLeft: 0, ArrowRight: 1, ArrowDown: null }[event.key];
    if (said === undefined || this.pair.length < 2) return;
    event.preventDefault();
    this._say(said);
  }

  _show(pair) {
    this.playback.stop();
    this.playback.started = false;
    for (const player of this.players) player.dispose();
    this.pair = pair;
    this.players = pair.map(() => new Player(this.store, { auto: false, sound: false }));
    this.stage.replaceChildren(...this.players.map((player, place) => h("figure", { onclick: () => this._say(place) }, player.el, h("figcaption", { class: "wb-quiet", text: `${LETTERS[place]}: draft ${pair[place].candidate + 1}` }))));
  }

  _say(place) {
    if (this.pair.length < 2 || this.saying) return;
    const [one, other] = this.pair.map((member) => member.candidate);
    this.saying = true;
    const vote = place === 1 ? { better: other, worse: one } : { better: one, worse: other, undecided: place === null };
    this.vote(vote).finally(() => (this.saying = false));
  }
}
