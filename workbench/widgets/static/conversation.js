// The conversation about the prompt: requests, their steps, and the answers.

import { button, h, Keyed, attribute, show, submitOnEnter } from "./dom.js";
import { Notice } from "./notice.js";
import { Turn, turnsTo } from "./turns.js";

const SUGGESTIONS = [
  "make it more dramatic",
  "at night, in the rain",
  "slow motion",
  "a closer shot",
  "warmer colours",
  "as a watercolour",
  "the camera follows from behind",
  "calmer",
];
const SHOWN = 5;

export class Conversation {
  constructor(store, { take }) {
    this.store = store;
    this.take = take;
    this.notice = new Notice();
    this.log = h("ol", { class: "wb-talk", "aria-label": "Conversation", "aria-live": "polite" });
    const moves = { undo: (step) => this._undo(step), confirm: (turn) => this._confirm(turn), decline: (turn) => this._decline(turn), choose: () => store.chooseWriter?.() };
    this.turns = new Keyed(this.log, (turn) => turn.key, () => new Turn(moves));
    this.input = h("input", {
      type: "text",
      placeholder: "make it more dramatic",
      maxlength: 1000,
      autocomplete: "off",
      "aria-label": "What should be different",
      onkeydown: (event) => submitOnEnter(event, () => this._say(this.input.value)),
    });
    this.send = button("Send", { icon: "send", bare: true, kind: "send", onclick: () => this._say(this.input.value) });
    this.stop = button("Stop", { icon: "stop", bare: true, kind: "send", hidden: true, title: "Stop (Esc); completed steps are kept", onclick: () => this._stop() });
    this.suggestions = h("div", { class: "wb-suggestions", role: "group", "aria-label": "Suggestions" });
    const form = h("div", { class: "wb-say" }, this.input, this.send, this.stop);
    this.el = h("section", { class: "wb-conversation", "aria-label": "Conversation with the prompt", onkeydown: (event) => this._key(event) }, this.log, this.suggestions, this.notice.el, form);
    this._suggest([]);
  }

  update(entry) {
    const { store } = this;
    const working = store.busy("tune");
    const turns = turnsTo(store, entry, working ? this.asked : null);
    const grown = turns.length !== this.turns.parts.size;
    this.entry = entry;
    this._offer(this.store.view.wish);
    this.turns.update(turns);
    attribute(this.send, "disabled", working);
    show(this.send, !working);
    show(this.stop, working);
    this._suggest(turns.map((turn) => turn.request));
    if (grown || working) this.log.scrollTop = this.log.scrollHeight;
  }

  /** Put a request from elsewhere into the field, to review before sending. */
  _offer(wish) {
    if (!wish || wish === this.offered) return;
    this.offered = wish;
    this.input.value = wish.text;
  }

  async _say(text) {
    const request = text.trim();
    if (!request || this.store.busy("tune")) return;
    const { index } = this.entry;
    this.asked = { request, after: index };
    this.store.steps = [];
    const answer = await this._ask("tune", { index, request });
    if (!answer) return; // the typed text stays in the field
    if (this.input.value.trim() === request) this.input.value = ""; // keep text typed meanwhile
    this._answered({ request, after: index }, answer);
  }

  async _confirm({ request, after, proposal }) {
    this.asked = { request, after };
    const answer = await this._ask("act", { index: after, actions: [proposal] });
    if (!answer) return;
    this.store.set({ misses: this.store.view.misses.filter((one) => one.proposal !== proposal) });
    this._answered({ request, after }, answer);
  }

  /** Dismiss the turn's proposal: nothing is started. */
  _decline({ proposal }) {
    const misses = this.store.view.misses.map((one) => (one.proposal === proposal ? { ...one, proposal: undefined } : one));
    this.store.set({ misses });
  }

  _ask(name, args) {
    this.store.answering = "";
    return this.notice.guard(() => this.store.call(name, args, "tune"));
  }

  /** Go to the resulting prompt; an answer that changed no prompt is kept only by the page. */
  _answered({ request, after }, { index, stopped, message, hint, understood, actions = [] }) {
    if (index !== after) this.take(index);
    const proposal = actions.find((action) => action.kind === "propose");
    const told = index === after ? { request, message: stopped ? "Stopped." : message } : { request: "", message: "" };
    if (index === after || proposal || hint) this._note({ ...told, after: index, hint, proposal, missed: understood === false });
    this.store.emit();
  }

  _note(miss) {
    const { misses } = this.store.view;
    this.store.set({ misses: [...misses, { ...miss, key: `miss ${misses.length}` }] });
  }

  async _undo(step) {
    const args = { answer: step.index, current: this.entry.index };
    const answer = await this.notice.guard(() => this.store.call("undo", args, "prompt"));
    if (answer) this.take(answer.index);
  }

  _stop() {
    this.notice.guard(() => this.store.call("stop_tuning", {}, "stop_tuning"));
  }

  _key(event) {
    if (event.key !== "Escape" || !this.store.busy("tune")) return;
    event.preventDefault();
    this._stop();
  }

  _suggest(said) {
    const left = SUGGESTIONS.filter((text) => !said.includes(text)).slice(0, SHOWN);
    const key = left.join();
    if (key === this.suggested) return;
    this.suggested = key;
    this.suggestions.replaceChildren(
      ...left.map((text) => h("button", { type: "button", class: "wb-example", text, onclick: () => this._say(text) })),
    );
  }
}
