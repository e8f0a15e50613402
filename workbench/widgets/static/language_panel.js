// Chooses the prompt writer: the built-in composer, a local server, a fetched model, an endpoint.

import { attribute, button, h, Keyed, put, show } from "./dom.js";
import { bytesWords } from "./facts.js";
import { Notice } from "./notice.js";

const COMPOSER = "Writes at once, without a model: your words first, then what follows from them.";
const LOOK_MS = 1500; // while a model is being fetched

export class LanguagePanel {
  constructor(store, { chosen }) {
    this.store = store;
    this.chosen = chosen;
    this.notice = new Notice();
    this.refused = new Notice(); // beside the endpoint that it is about
    this.looking = h("p", { class: "wb-quiet", text: "Looking for language models…" });
    this.told = h("p", { class: "wb-quiet", role: "status" });
    this.found = h("ul", { class: "wb-models" });
    this.catalog = h("ul", { class: "wb-models" });
    this.foundList = new Keyed(this.found, (one) => one.key, () => new Writer(this));
    this.catalogList = new Keyed(this.catalog, (one) => one.key, () => new Writer(this));
    this.url = field("Address", { type: "text", placeholder: "localhost:11434/v1" });
    this.key = field("Key, if it needs one", { type: "password", autocomplete: "off" });
    this.names = h("datalist", { id: `wb-models-${Math.random().toString(36).slice(2)}` });
    this.model = field("Model", { type: "text", list: this.names.id });
    this.asDefault = h("input", { type: "checkbox" });
    const list = button("List its models", { kind: "small", onclick: () => this._list() });
    const test = button("Test", { kind: "small", onclick: () => this._test() });
    const use = button("Use it", { kind: "small", onclick: () => this.use(this._endpoint(), this.refused) });
    this.rest = h( // shown with the lists: it would move under the pointer when they arrive
      "div",
      { hidden: true },
      h("h3", { text: "Models that can be run here" }),
      this.catalog,
      h("h3", { text: "An endpoint" }),
      h("div", { class: "wb-endpoint" }, this.url.el, this.key.el, this.model.el, this.names, h("div", { class: "wb-row" }, list, test, use), this.told, this.refused.el),
    );
    this.el = h(
      "dialog",
      { class: "wb-dialog wb-drawer", "aria-label": "Who writes the prompts" },
      h("div", { class: "wb-dialog-head" }, h("h2", { text: "Prompts by" }), button("Close", { icon: "close", bare: true, onclick: () => this.el.close() })),
      h("label", { class: "wb-check" }, this.asDefault, "For new sessions too"),
      this.notice.el,
      this.looking,
      this.found,
      this.rest,
    );
  }

  open() {
    this.el.showModal();
    return this.load();
  }

  async load() {
    const seen = await this.notice.guard(() => this.store.call("language"));
    show(this.looking, false);
    show(this.rest, true);
    if (!seen) return;
    this.seen = seen;
    this._show();
    clearTimeout(this.timer);
    const fetching = seen.catalog.some((one) => one.fetched_bytes !== null && !one.is_here && !one.problem);
    if (fetching && this.el.open) this.timer = setTimeout(() => this.load(), LOOK_MS);
  }

  async use(choice, notice = this.notice) {
    const told = await notice.guard(() => this.store.call("use_language", { ...choice, as_default: this.asDefault.checked }));
    if (!told) return;
    this.key.input.value = "";
    this.chosen(told);
    await this.load();
  }

  async fetch(name) {
    await this.notice.guard(() => this.store.call("fetch_language", { name }));
    await this.load();
  }

  _show() {
    const { choice, servers, catalog, can_fetch, key_place } = this.seen;
    const builtin = { key: "builtin", title: "built-in composer", facts: COMPOSER, use: { name: "builtin" }, chosen: choice.provider === "builtin" };
    const found = servers.flatMap((server) => server.models.map((name) => ({
      key: `${server.base_url} ${name}`,
      title: name,
      facts: `${server.name} at ${server.base_url}`,
      use: { name, base_url: server.base_url },
      chosen: choice.model === name && choice.base_url === server.base_url,
    })));
    const other = choice.provider !== "builtin" && !found.some((one) => one.chosen) && !catalog.some((one) => isChosen(choice, one));
    const own = other ? [{ key: "own", title: choice.label, facts: choice.base_url, chosen: true }] : [];
    this.foundList.update([builtin, ...own, ...found]);
    this.catalogList.update(catalog.map((one) => ({
      key: one.name,
      title: one.name,
      facts: [`${bytesWords(one.bytes)} on disk`, `${bytesWords(one.memory_bytes)} of memory`, one.licence, one.good_at].filter(Boolean).join(" · "),
      problem: one.problem,
      progress: one.fetched_bytes !== null && !one.is_here ? one.fetched_bytes / one.bytes : null,
      use: one.is_here ? { name: one.name } : null,
      fetch: !one.is_here && can_fetch ? one.name : null,
      command: one.is_here || can_fetch ? "" : one.command,
      chosen: isChosen(choice, one),
    })));
    put(this.key.hint, key_place ? `Stored in ${key_place}.` : "");
  }

  _endpoint() {
    return { name: this.model.input.value.trim(), base_url: this.url.input.value.trim(), api_key: this.key.input.value };
  }

  async _list() {
    const { base_url, api_key } = this._endpoint();
    const names = await this.refused.guard(() => this.store.call("models_at", { base_url, api_key }));
    if (!names) return;
    this.names.replaceChildren(...names.map((value) => h("option", { value })));
    if (!this.model.input.value && names.length) [this.model.input.value] = names;
    put(this.told, `It has ${names.length} ${names.length === 1 ? "model" : "models"}.`);
  }

  async _test() {
    put(this.told, "Testing it with a short question…");
    const found = await this.refused.guard(() => this.store.call("test_language", this._endpoint()));
    put(this.told, found ? `${found.message} (${found.duration_s.toFixed(1)} s)` : "");
  }
}

class Writer {
  constructor(panel) {
    this.title = h("strong");
    this.facts = h("span", { class: "wb-quiet" });
    this.problem = h("span", { class: "wb-problem" });
    this.command = h("code");
    this.bar = h("progress", { max: 1, "aria-label": "Download progress" });
    this.main = h("button", { type: "button", class: "wb-session", onclick: () => panel.use(this.one.use) }, this.title, this.facts, this.problem);
    this.fetch = button("Fetch", { icon: "download", kind: "small", onclick: () => panel.fetch(this.one.fetch) });
    this.el = h("li", {}, this.main, this.bar, this.fetch, this.command);
  }

  update(one) {
    this.one = one;
    put(this.title, one.title);
    put(this.facts, one.facts);
    put(this.problem, one.problem);
    put(this.command, one.command);
    show(this.command, Boolean(one.command));
    show(this.problem, Boolean(one.problem));
    show(this.fetch, Boolean(one.fetch) && (one.progress === null || Boolean(one.problem)));
    const fetching = one.progress !== null && one.progress !== undefined && !one.problem;
    show(this.bar, fetching);
    if (fetching) this.bar.value = one.progress;
    attribute(this.main, "disabled", !one.use);
    attribute(this.main, "aria-current", one.chosen ? "true" : null);
  }
}

function isChosen(choice, one) {
  return choice.provider === "local" && (choice.model === one.name || choice.model.endsWith(one.file));
}

function field(label, props) {
  const input = h("input", { ...props, "aria-label": label });
  const hint = h("span", { class: "wb-quiet" });
  return { input, hint, el: h("label", {}, h("span", { class: "wb-quiet", text: label }), input, hint) };
}
