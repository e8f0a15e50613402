// The result of every draft and its reason, and how well each critic predicts the votes.

import { criticOf, valueOf } from "./best_of_form.js";
import { attribute, h, Keyed, put, show } from "./dom.js";
import { Player } from "./media.js";
import { figure } from "./scores.js";
import { capital, jobWords, plural } from "./words.js";

export class BestOfReport {
  constructor(store) {
    this.list = h("ol", { class: "wb-best-list", "aria-label": "Drafts" });
    this.rows = new Keyed(this.list, (one) => one.candidate, () => new Draft(store));
    this.critics = h("ul", { class: "wb-agreements" });
    this.lines = new Keyed(this.critics, (one) => one.critic, () => new AgreementLine());
    this.agreement = h("section", { "aria-label": "Critics" }, h("h3", { text: "How well each critic predicts your votes" }), h("p", { class: "wb-quiet", text: "50 % is chance. The line is the 95 % interval; a few votes prove little." }), this.critics);
    this.revised = h("ul", { class: "wb-best-revisions" });
    this.el = h("div", { class: "wb-best-report" }, this.agreement, this.revised, h("section", { "aria-label": "Report" }, h("h3", { text: "Drafts" }), this.list));
  }

  update(run) {
    this.rows.update(run.candidates);
    const told = run.agreement.filter((one) => one.votes > 0);
    this.lines.update(told);
    show(this.agreement, told.length > 0);
    const revised = run.revisions.map((request, place) => `Revision ${place + 1}: ${request}`);
    this.revised.replaceChildren(...revised.map((text) => h("li", { text })));
    show(this.revised, revised.length > 0);
  }
}

/** One draft: its picture, its standing, and why it was dropped. */
class Draft {
  constructor(store) {
    this.store = store;
    this.player = new Player(store, { sound: false });
    this.name = h("strong");
    this.badge = h("span", { class: "wb-badge wb-best-kept" });
    this.seed = h("span", { class: "wb-quiet" });
    this.why = h("p", { class: "wb-best-why" });
    this.values = h("p", { class: "wb-quiet" });
    this.place = h("span", { class: "wb-badge", title: "By your votes and stars; the bar is the critics' standing" });
    this.standing = h("meter", { min: 0, max: 1, "aria-label": "Standing among the drafts" });
    this.el = h("li", { class: "wb-best-draft" }, this.player.el, h("div", {}, h("div", { class: "wb-row" }, this.name, this.badge, this.seed, this.standing, this.place), this.why, this.values));
  }

  update(one) {
    const job = one.job_id ? this.store.jobs[one.job_id] : null;
    this.player.update(job);
    put(this.name, `Draft ${one.candidate + 1}`);
    put(this.seed, `seed ${one.seed}`);
    put(this.badge, one.is_whole && !one.dropped ? "rendered whole" : "");
    show(this.badge, this.badge.textContent !== "");
    put(this.place, one.place ? `your place ${one.place}` : "");
    show(this.place, Boolean(one.place));
    show(this.standing, one.standing !== null);
    if (one.standing !== null) {
      this.standing.value = one.standing;
      attribute(this.standing, "title", `Standing ${figure(one.standing)}: 1 is the best`);
    }
    put(this.why, one.dropped ? capital(one.dropped.split(": ")[0]) + reason(one.dropped) : waiting(job));
    show(this.why, this.why.textContent !== "");
    put(this.values, Object.entries(one.values).map(([name, value]) => valueOf(name, value)).join(", "));
    attribute(this.el, "data-dropped", Boolean(one.dropped));
  }

  dispose() {
    this.player.dispose();
  }
}

/** A reason with a rank only repeats the values, which have a line of their own; other reasons are shown. */
function reason(dropped) {
  const [head, ...rest] = dropped.split(": ");
  return head.startsWith("place ") || !rest.length ? "" : `: ${rest.join(": ")}`;
}

function waiting(job) {
  return job && job.state !== "complete" ? jobWords(job) : "";
}

class AgreementLine {
  constructor() {
    this.name = h("span");
    this.told = h("span", { class: "wb-quiet" });
    this.line = h("span", { class: "wb-interval", "aria-hidden": "true" }, h("i"), h("b"));
    this.el = h("li", {}, this.name, this.line, this.told);
  }

  update(one) {
    const percent = (share) => `${Math.round(share * 100)} %`;
    const { label, says } = criticOf(one.critic);
    put(this.name, label);
    attribute(this.name, "title", says);
    put(this.told, `${percent(one.foretold)} of ${plural(one.votes, "vote")} (${Math.round(one.low * 100)} to ${percent(one.high)})`);
    for (const [name, value] of [["--wb-low", one.low], ["--wb-high", one.high], ["--wb-at", one.foretold]]) this.line.style.setProperty(name, percent(value).replace(" ", ""));
  }
}
