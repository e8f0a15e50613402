// One request of the conversation with its steps, each with its own undo.

import { ChangeList, settingsChanges } from "./changes.js";
import { attribute, button, h, Keyed, put, show } from "./dom.js";
import { plural } from "./words.js";

export class Turn {
  constructor({ undo, confirm, decline, choose }) {
    this.request = h("p", { class: "wb-request" });
    this.list = h("ul", { class: "wb-steps" });
    this.steps = new Keyed(this.list, (step) => step.key, () => new Step(undo));
    this.message = h("p", { class: "wb-answer-words" });
    this.dots = h("span", { class: "wb-dots", "aria-label": "Working" }, h("i"), h("i"), h("i"));
    this.hint = h("p", { class: "wb-quiet wb-hint" });
    this.choose = button("Choose a language model", { kind: "small", onclick: choose });
    this.confirm = button("Start", { icon: "play", kind: "small", onclick: () => confirm(this.turn) });
    this.decline = button("Not now", { kind: "small", onclick: () => decline(this.turn) });
    this.answer = h("div", { class: "wb-answer" }, this.list, this.message, this.dots, this.confirm, this.decline, this.hint, this.choose);
    this.el = h("li", { class: "wb-turn" }, this.request, this.answer);
  }

  update(turn) {
    this.turn = turn;
    const { steps = [], proposal } = turn;
    put(this.request, turn.request);
    show(this.request, Boolean(turn.request));
    this.steps.update(steps.map((step) => ({ ...step, name: steps.length > 1 ? "" : turn.request })));
    show(this.list, steps.length > 0);
    show(this.dots, Boolean(turn.working));
    put(this.message, turn.message ?? "");
    show(this.message, this.message.textContent !== "");
    show(this.confirm, Boolean(proposal));
    show(this.decline, Boolean(proposal));
    if (proposal) put(this.confirm.lastChild, proposal.fetches ? `Fetch ${proposal.fetches} and start` : `Start ${plural(proposal.renders, "render")}`);
    put(this.hint, turn.hint ?? "");
    show(this.hint, Boolean(turn.hint));
    show(this.choose, Boolean(turn.offersModel));
    attribute(this.el, "data-missed", turn.missed);
  }
}

/** One step: what changed, or its message. */
class Step {
  constructor(undo) {
    this.words = h("span", { class: "wb-answer-words" });
    this.changes = new ChangeList();
    this.undo = button("Undo", { icon: "undo", kind: "small", onclick: () => undo(this.step) });
    this.el = h("li", { class: "wb-step-done" }, this.words, this.changes.el, this.undo);
  }

  update(step) {
    this.step = step;
    put(this.words, step.words);
    show(this.words, step.words !== "");
    this.changes.update(step.changes);
    show(this.undo, step.index !== null);
    const name = step.name || step.changes[0]?.sentence || step.words;
    attribute(this.undo, "aria-label", `Undo: ${name}`);
  }
}

/** The turns that led to `entry`, oldest first; `asked` is the request in progress. */
export function turnsTo(store, entry, asked) {
  const line = [];
  for (let one = entry; one; one = store.entry(one.parent)) line.unshift(one);
  const ends = new Map(store.answers.map((turn) => [turn.entry, turn]));
  const offers = store.offersModel;
  const turns = [];
  let open = null; // the turn whose last step has not arrived yet
  for (const one of line) {
    if (isStep(one)) {
      if (open?.request !== one.request || one.kind !== "tuned") open = begun(turns, one);
      open.steps.push(stepOf(one, store.entry(one.parent)));
      const end = ends.get(one.index);
      if (end) open.message = rest(end.message, one);
      if (end || one.kind !== "tuned") open = null;
    }
    for (const miss of store.view.misses) {
      if (miss.after === one.index) turns.push({ ...miss, offersModel: offers && (miss.missed || Boolean(miss.hint)) });
    }
  }
  if (asked) addWorking(turns, store, entry, asked);
  return turns;
}

/** Whether an entry is a step of the conversation: a change by request or by hand. */
function isStep({ kind, changes, request }) {
  return (kind === "tuned" && (changes.length > 0 || request !== "")) || (kind === "given" && changes.length > 0);
}

function begun(turns, entry) {
  const turn = { key: `turn ${entry.index}`, request: (entry.kind === "tuned" && entry.request) || "Changed by hand", steps: [], message: "" };
  turns.push(turn);
  return turn;
}

function stepOf(entry, parent) {
  const { index, kind, message } = entry;
  const changes = [...entry.changes, ...(kind === "tuned" ? settingsChanges(entry, parent) : [])];
  const words = withoutChanges(message, entry.changes) || (changes.length ? "" : "Changed.");
  return { key: String(index), index, changes, words };
}

/** Show a request in progress, after its steps so far. */
function addWorking(turns, store, entry, asked) {
  const last = turns[turns.length - 1];
  const has = last?.request === asked.request && entry.index !== asked.after;
  const turn = has ? last : { key: "working", request: asked.request, steps: [] };
  if (!has) turns.push(turn);
  const notes = store.steps.filter((step) => step.index === null);
  turn.steps = [...turn.steps, ...notes.map((step, number) => ({ key: `note ${number}`, index: null, changes: [], words: noteWords(step) }))];
  turn.working = true;
  turn.message = store.answering;
}

function noteWords({ did, message, problem }) {
  if (problem) return `Not done: ${problem}`;
  return message || (did === "look" ? "Looked closer." : "");
}

/** The answer to a turn, without what its last step already says. */
function rest(message, entry) {
  const said = withoutChanges(message, entry.changes);
  const own = withoutChanges(entry.message, entry.changes);
  return own && said.startsWith(own) ? said.slice(own.length).trim() : said;
}

/** A message without the sentence that lists the changes, which are shown separately. */
function withoutChanges(message, changes) {
  const listed = `Changed ${changes.map((change) => change.sentence).join("; ")}.`;
  return (message ?? "").replace(listed, "").trim();
}
