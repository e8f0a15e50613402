// Earlier sessions: reopen one, or start a new one.

import { attribute, button, h, Keyed, put, show } from "./dom.js";
import { Notice } from "./notice.js";
import { moment, plural } from "./words.js";

export class SessionList {
  constructor(store) {
    this.store = store;
    this.notice = new Notice();
    this.rows = h("ul", { class: "wb-sessions-list" });
    this.list = new Keyed(this.rows, (one) => one.id, () => new Row((id) => this._open(id)));
    this.none = h("p", { class: "wb-quiet", text: "No earlier sessions." });
    this.el = h(
      "dialog",
      { class: "wb-dialog wb-drawer", "aria-label": "Sessions" },
      h("header", { class: "wb-dialog-head" }, h("h2", { text: "Sessions" }), button("Close", { icon: "close", bare: true, onclick: () => this.el.close() })),
      button("New session", { icon: "plus", onclick: () => this._fresh() }),
      this.notice.el,
      this.rows,
      this.none,
    );
  }

  async open() {
    this.el.showModal();
    const { store } = this;
    const found = await this.notice.guard(() => store.call("sessions", { known: store.known() }));
    const current = store.session?.id;
    this.list.update((found ?? []).map((one) => ({ ...one, current: one.id === current })));
    show(this.none, !found?.length);
  }

  async _open(id) {
    const { board } = this.store.recall(id);
    await this.notice.guard(async () => {
      await this.store.call("open", { session: id, board: board ?? null }, "open");
      this.el.close();
    });
  }

  async _fresh() {
    await this.notice.guard(async () => {
      await this.store.call("fresh", {}, "open");
      this.el.close();
    });
  }
}

class Row {
  constructor(open) {
    this.title = h("strong");
    this.facts = h("span", { class: "wb-quiet" });
    this.main = h("button", { type: "button", class: "wb-session", onclick: () => open(this.one.id) }, this.title, this.facts);
    this.el = h("li", {}, this.main);
  }

  update(one) {
    this.one = one;
    put(this.title, one.title || "Without a prompt");
    put(this.facts, `${moment(one.used)} · ${plural(one.prompts, "prompt")}`);
    attribute(this.main, "aria-current", one.current ? "true" : null);
  }
}
