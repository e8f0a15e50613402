// Which prompt a step is about, and what led to it.

/** The prompt of step 1: the one chosen, else the newest that is no variation. */
export function baseIndex(store) {
  const { base } = store.view;
  if (store.entry(base)) return base;
  const own = store.entries.filter((entry) => ["enhanced", "given"].includes(entry.kind));
  return own.length ? own[own.length - 1].index : null;
}

/** The prompt that is being tuned. */
export function currentIndex(store) {
  return store.entry(store.view.current) ? store.view.current : baseIndex(store);
}

/** The newest video on the line that leads to `entry`, which has none of its own yet. */
export function nearestJob(store, entry) {
  let same = null; // undo repeats an earlier prompt, whose video is its own too
  for (let one = store.entry(entry.parent); one && !same; one = store.entry(one.parent)) {
    if (one.prompt === entry.prompt) same = store.jobOf(one.index);
  }
  if (same) return same;
  for (let one = store.entry(entry.parent); one; one = store.entry(one.parent)) {
    const job = store.jobOf(one.index);
    if (job) return job;
  }
  return null;
}

/** What was typed at the beginning of the line that led to `entry`. */
export function roughOf(store, entry) {
  for (let one = entry; one; one = store.entry(one.parent)) {
    if (one.kind === "rough") return one.prompt;
    if (one.kind === "enhanced" && one.request) return one.request;
  }
  return "";
}
