// The conversation about the prompt: requests, and what each changed. Every answer can be undone.

import { ChangeList, settingsChanges } from "./changes.js";
import { attribute, button, h, Keyed, put, show, submitOnEnter } from "./dom.js";
import { Notice } from "./notice.js";
import { plural } from "./words.js";

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
    this.turns = new Keyed(this.log, (turn) => turn.key, () => new Turn((turn) => this._undo(turn)));
    this.input = h("input", {
      type: "text",
      placeholder: "make it more dramatic",
      maxlength: 1000,
      autocomplete: "off",
      "aria-label": "What should be different",
      onkeydown: (event) => submitOnEnter(event, () => this._say(this.input.value)),
    });
    this.send = button("Send", { icon: "send", bare: true, kind: "send", onclick: () => this._say(this.input.value) });
    this.suggestions = h("div", { class: "wb-suggestions", role: "group", "aria-label": "Suggestions" });
    const form = h("div", { class: "wb-say" }, this.input, this.send);
    this.el = h("section", { class: "wb-conversation", "aria-label": "Conversation with the prompt" }, this.log, this.suggestions, this.notice.el, form);
    this._suggest([]);
  }

  update(entry) {
    const turns = turnsTo(this.store, entry, this.store.view.misses);
    const working = this.store.busy("tune");
    if (working) turns.push({ key: "working", request: this.said, working: true });
    const grown = turns.length !== this.turns.parts.size;
    this.entry = entry;
    this._offer(this.store.view.wish);
    this.turns.update(turns);
    attribute(this.send, "disabled", working);
    attribute(this.send, "data-working", working);
    this._suggest(turns.map((turn) => turn.request));
    if (grown) this.log.scrollTop = this.log.scrollHeight;
  }

  /** Put a request from elsewhere into the field, to be read before it is sent. */
  _offer(wish) {
    if (!wish || wish === this.offered) return;
    this.offered = wish;
    this.input.value = wish.text;
  }

  async _say(text) {
    const request = text.trim();
    if (!request || this.store.busy("tune")) return;
    this.said = request;
    const { index } = this.entry;
    const answer = await this.notice.guard(() => this.store.call("tune", { index, request }, "tune"));
    if (!answer) return; // the typed text stays in the field
    if (this.input.value.trim() === request) this.input.value = ""; // keep what was typed meanwhile
    if (answer.understood && answer.index !== index) this.take(answer.index);
    else this._miss({ after: index, request, message: answer.message });
    this.store.emit();
  }

  _miss(miss) {
    const { misses } = this.store.view;
    this.store.set({ misses: [...misses, { ...miss, key: `miss ${misses.length}` }] });
  }

  async _undo(turn) {
    const args = { answer: turn.index, current: this.entry.index };
    const answer = await this.notice.guard(() => this.store.call("undo", args, "prompt"));
    if (answer) this.take(answer.index);
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

class Turn {
  constructor(undo) {
    this.request = h("p", { class: "wb-request" });
    this.message = h("p", { class: "wb-answer-words" });
    this.changes = new ChangeList();
    this.undo = button("Undo", { icon: "undo", kind: "small", onclick: () => undo(this.turn) });
    this.dots = h("span", { class: "wb-dots", "aria-label": "Working" }, h("i"), h("i"), h("i"));
    this.answer = h("div", { class: "wb-answer" }, this.dots, this.message, this.changes.el, this.undo);
    this.el = h("li", { class: "wb-turn" }, this.request, this.answer);
  }

  update(turn) {
    this.turn = turn;
    const { changes = [] } = turn;
    put(this.request, turn.request);
    show(this.request, Boolean(turn.request));
    show(this.dots, Boolean(turn.working));
    put(this.message, turn.working ? "" : wordsOf(turn, changes));
    show(this.message, this.message.textContent !== "");
    this.changes.update(changes);
    show(this.undo, turn.index !== undefined && changes.length > 0);
    attribute(this.undo, "aria-label", `Undo: ${turn.request || "this change"}`);
    attribute(this.el, "data-missed", turn.missed);
  }
}

/** The answer's message, unless the list of changes says the same. */
function wordsOf({ message }, changes) {
  if (changes.some(({ sentence }) => sentence && message?.includes(sentence))) return "";
  return message || (changes.length ? `Changed ${plural(changes.length, "thing")}.` : "");
}

/** The turns that led to `entry`, oldest first, including requests that were not understood. */
function turnsTo(store, entry, misses) {
  const line = [];
  for (let one = entry; one; one = store.entry(one.parent)) line.unshift(one);
  const turns = [];
  for (const one of line) {
    const asked = one.kind === "tuned" ? settingsChanges(one, store.entry(one.parent)) : [];
    const changes = [...one.changes, ...asked];
    if (["tuned", "given"].includes(one.kind) && changes.length) {
      const request = one.kind === "tuned" ? one.request : "";
      turns.push({ key: `turn ${one.index}`, index: one.index, request: request || "Changed by hand", message: one.message, changes });
    }
    for (const miss of misses) {
      if (miss.after === one.index) turns.push({ ...miss, missed: true });
    }
  }
  return turns;
}
