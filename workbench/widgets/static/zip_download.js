// Downloads videos as one ZIP: all finished ones, or the chosen ones.

import { attribute, button, h, put } from "./dom.js";
import { isComplete } from "./job.js";
import { baseUrl } from "./media.js";

const KEPT_MS = 60_000;

export class ZipDownload {
  constructor(store, notice) {
    this.store = store;
    this.notice = notice;
    this.el = button("Download all as ZIP", { icon: "download", title: "Videos, recipes and a table of prompts, settings, scores and notes", onclick: () => this._download() });
  }

  update(chosen) {
    this.chosen = chosen;
    const busy = this.store.busy("archive");
    attribute(this.el, "disabled", busy || !this.store.renders.some((job) => isComplete(job)));
    attribute(this.el, "data-working", busy);
    put(this.el.lastChild, chosen.length ? `Download ${chosen.length} as ZIP` : "Download all as ZIP");
  }

  /** The server streams one whole batch; anything else is packed by the kernel. */
  async _download() {
    const done = this.chosen.length ? this.chosen : this.store.renders.filter((job) => isComplete(job));
    const [batch, ...others] = new Set(done.map((job) => job.batch_id));
    const isWhole = batch && !others.length && !this.chosen.length;
    if (isWhole && (await answers(`api/video/batch_download/${batch}`))) {
      save(`${baseUrl()}api/video/batch_download/${batch}`, "");
      return;
    }
    const jobs = done.map((job) => job.job_id);
    const bytes = await this.notice.guard(() => this.store.call("archive", { jobs }, "archive"));
    if (!bytes) return;
    const url = URL.createObjectURL(new Blob([bytes], { type: "application/zip" }));
    save(url, `videos_${this.store.session.id}.zip`);
    setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
  }
}

/** Whether the server extension is available. */
async function answers(path) {
  try {
    return (await fetch(`${baseUrl()}${path}`, { method: "HEAD", credentials: "same-origin" })).status !== 404;
  } catch {
    return false;
  }
}

function save(url, name) {
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}
