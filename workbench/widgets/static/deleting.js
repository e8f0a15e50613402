// Deletes videos and sessions: starred ones need confirmation, and deletions can be undone for a while.

import { button, h, put, show } from "./dom.js";
import { Notice } from "./notice.js";
import { plural } from "./words.js";

const OFFERED_MS = 30_000;

/** Deletes for every step, asks for confirmation where needed, and offers Undo. */
export class Deleting {
  constructor(store) {
    this.store = store;
    this.notice = new Notice();
    this.question = h("p");
    this.yes = button("Delete", { icon: "trash", kind: "primary", onclick: () => this._answer(true) });
    this.no = button("Cancel", { onclick: () => this._answer(false) });
    this.dialog = h("dialog", { class: "wb-dialog wb-confirm", "aria-label": "Delete", onclose: () => this.dialog.open || this._answer(false) }, this.question, h("div", { class: "wb-row" }, this.yes, this.no));
    this.told = h("span", { role: "status" });
    this.undo = button("Undo", { icon: "undo", kind: "small", onclick: () => this._undo() });
    this.toast = h("div", { class: "wb-toast", hidden: true }, this.told, this.undo, button("Dismiss", { icon: "close", bare: true, onclick: () => show(this.toast, false) }));
    this.el = h("div", {}, this.dialog, this.toast, this.notice.el);
  }

  /** Delete videos; several videos, or a starred one, need confirmation. */
  async videos(jobs) {
    const starred = jobs.filter((job) => job.starred).length;
    const running = jobs.filter((job) => job.state === "running");
    if (running.length) return this.notice.say(`${plural(running.length, "video")} of these ${running.length === 1 ? "is" : "are"} being rendered; cancel first.`);
    if (jobs.length > 1 && !(await this._ask(`Delete ${plural(jobs.length, "video")}?`))) return undefined;
    if (starred && !(await this._ask(starredWords(starred, jobs.length)))) return undefined;
    const ids = jobs.map((job) => job.job_id);
    return this._do("delete", { jobs: ids, starred: starred > 0 }, plural(ids.length, "video"), () => this.store.call("undelete", { jobs: ids }));
  }

  /** Delete a session with its videos. */
  async session(one) {
    const videos = one.videos ? ` and its ${plural(one.videos, "video")}` : "";
    if (!(await this._ask(`Delete the session “${one.title}”${videos}?`))) return false;
    const undo = () => this.store.call("undelete_session", { session: one.id }, "open");
    const args = { session: one.id };
    try {
      await this.store.call("delete_session", args);
    } catch (error) {
      if (!/star/.test(error.message)) throw error;
      if (!(await this._ask("It has starred videos. Delete those too?"))) return false;
      await this.store.call("delete_session", { ...args, starred: true });
    }
    this._offer(`The session “${one.title}” was deleted.`, undo);
    return true;
  }

  async _do(name, args, what, undo) {
    await this.notice.guard(async () => {
      await this.store.call(name, args);
      this._offer(`${what} deleted.`, undo);
    });
  }

  _offer(text, undo) {
    put(this.told, text);
    this.back = undo;
    show(this.toast, true);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => show(this.toast, false), OFFERED_MS);
  }

  async _undo() {
    show(this.toast, false);
    await this.notice.guard(() => this.back());
  }

  _ask(question) {
    put(this.question, question);
    this.dialog.showModal();
    this.no.focus();
    return new Promise((resolve) => (this.resolve = resolve));
  }

  _answer(yes) {
    const { resolve } = this;
    this.resolve = null;
    if (this.dialog.open) this.dialog.close();
    resolve?.(yes);
  }
}

function starredWords(starred, all) {
  if (all === 1) return "It is starred. Delete it anyway?";
  return `${starred} of them ${starred === 1 ? "has" : "have"} a star. Delete those too?`;
}
