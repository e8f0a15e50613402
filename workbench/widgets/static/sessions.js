// Earlier sessions: find, reopen, name, tag, archive and delete them, or start a new one.

import { attribute, button, h, Keyed, put, show, submitOnEnter } from "./dom.js";
import { bytesWords } from "./facts.js";
import { Notice } from "./notice.js";
import { join, moment, plural } from "./words.js";

const TYPING_MS = 200;

export class SessionList {
  constructor(store, deleting) {
    this.store = store;
    this.deleting = deleting;
    this.notice = new Notice();
    this.rows = h("ul", { class: "wb-sessions-list" });
    this.list = new Keyed(this.rows, (one) => one.id, () => new Row(this));
    this.none = h("p", { class: "wb-quiet", text: "No earlier sessions." });
    this.search = h("input", { type: "text", placeholder: "Search names, tags and prompts", "aria-label": "Search sessions", oninput: () => this._search() });
    this.archived = h("input", { type: "checkbox", onchange: () => this._load() });
    this.space = h("p", { class: "wb-quiet" });
    this.el = h(
      "dialog",
      { class: "wb-dialog wb-drawer", "aria-label": "Sessions" },
      h("div", { class: "wb-dialog-head" }, h("h2", { text: "Sessions" }), button("Close", { icon: "close", bare: true, onclick: () => this.el.close() })),
      h("div", { class: "wb-row wb-sessions-tools" }, button("New session", { icon: "plus", onclick: () => this._fresh() }), h("label", { class: "wb-check" }, this.archived, "Archived")),
      this.search,
      this.notice.el,
      this.rows,
      this.none,
      this.space,
    );
  }

  open() {
    this.el.showModal();
    return this._load();
  }

  async act(work) {
    await this.notice.guard(work);
    await this._load();
  }

  async _load() {
    const { store } = this;
    const args = { known: store.known(), query: this.search.value, archived: this.archived.checked };
    const found = await this.notice.guard(() => store.call("sessions", args));
    const sessions = found?.sessions ?? [];
    const current = store.session?.id;
    this.list.update(sessions.map((one) => ({ ...one, current: one.id === current })));
    put(this.none, this.search.value || this.archived.checked ? "No matching sessions." : "No earlier sessions.");
    show(this.none, !sessions.length);
    put(this.space, found?.bytes ? `All videos take ${bytesWords(found.bytes)}.` : "");
  }

  _search() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this._load(), TYPING_MS);
  }

  async take(id) {
    const { board } = this.store.recall(id);
    await this.notice.guard(async () => {
      await this.store.call("open", { session: id, board: board ?? null }, "open");
      this.el.close();
    });
  }

  async remove(one) {
    await this.act(() => this.deleting.session(one));
  }

  /** Start a new session; the user can type at once, while the kernel closes the old one. */
  async _fresh() {
    this.el.close();
    const done = await this.notice.guard(async () => {
      await this.store.call("fresh", {}, "open");
      return true;
    });
    if (!done) this.el.showModal();
  }
}

class Row {
  constructor(list) {
    this.list = list;
    this.title = h("strong");
    this.facts = h("span", { class: "wb-quiet" });
    this.tags = h("span", { class: "wb-tags" });
    this.main = h("button", { type: "button", class: "wb-session", onclick: () => list.take(this.one.id) }, this.title, this.facts, this.tags);
    this.edit = button("Name and tag", { icon: "edit", bare: true, onclick: () => this._open(true) });
    this.archive = button("Archive", { icon: "folder", bare: true, onclick: () => this._label({ archived: !this.one.archived }) });
    this.drop = button("Delete", { icon: "trash", bare: true, onclick: () => list.remove(this.one) });
    this.name = h("input", { type: "text", maxlength: 120, "aria-label": "Name of the session", onkeydown: (event) => submitOnEnter(event, () => this._save()) });
    this.words = h("input", { type: "text", maxlength: 200, placeholder: "tags, separated by commas", "aria-label": "Tags", onkeydown: (event) => submitOnEnter(event, () => this._save()) });
    this.form = h("div", { class: "wb-session-form", hidden: true }, this.name, this.words, h("div", { class: "wb-row" }, button("Save", { kind: "small", onclick: () => this._save() }), button("Cancel", { kind: "small", onclick: () => this._open(false) })));
    this.el = h("li", { class: "wb-session-row" }, this.main, h("span", { class: "wb-row wb-tight" }, this.edit, this.archive, this.drop), this.form);
  }

  update(one) {
    this.one = one;
    const title = one.title || "Without a prompt";
    put(this.title, title);
    put(this.facts, join(moment(one.used), plural(one.prompts, "prompt"), one.videos ? plural(one.videos, "video") : "", bytesWords(one.bytes)));
    if (one.tags.join() !== this.told) this.tags.replaceChildren(...one.tags.map((tag) => h("span", { class: "wb-badge", text: tag })));
    this.told = one.tags.join();
    show(this.tags, one.tags.length > 0);
    attribute(this.main, "aria-current", one.current ? "true" : null);
    for (const [node, words] of [[this.edit, "Name and tag"], [this.archive, one.archived ? "Unarchive" : "Archive"], [this.drop, "Delete"]]) {
      attribute(node, "aria-label", `${words}: ${title}`);
      attribute(node, "title", words);
    }
  }

  _open(on) {
    show(this.form, on);
    if (!on) return this.edit.focus();
    this.name.value = this.one.title;
    this.words.value = this.one.tags.join(", ");
    return this.name.focus();
  }

  _save() {
    this._open(false);
    this._label({ name: this.name.value, tags: this.words.value.split(",").map((tag) => tag.trim()).filter(Boolean) });
  }

  _label(values) {
    this.list.act(() => this.list.store.call("label_session", { session: this.one.id, ...values }));
  }
}
