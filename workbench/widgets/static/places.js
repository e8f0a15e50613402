// The prompt of each step, and its origin.

/** The prompt of step 1: the chosen one, else the newest that is not a variation. */
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

/** The newest video among the ancestors of `entry`, which has no video of its own yet. */
export function nearestJob(store, entry) {
  let same = null; // undo repeats an earlier prompt, whose video it shares
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

/** The idea typed at the root of the line that led to `entry`. */
export function roughOf(store, entry) {
  for (let one = entry; one; one = store.entry(one.parent)) {
    if (one.kind === "rough") return one.prompt;
    if (one.kind === "enhanced" && one.request) return one.request;
  }
  return "";
}

const numbers = new WeakMap();

/**
 * The number by which Tune refers to a prompt; empty if it has none: 1 is the prompt of the newest variations, which
 * follow in the order in which they were made. A card keeps its number.
 */
export function numberOf(store, index) {
  const { entries } = store;
  if (!numbers.has(entries)) numbers.set(entries, numbered(entries));
  return numbers.get(entries).get(index) ?? "";
}

function numbered(entries) {
  const varied = entries.filter((entry) => entry.kind === "variation");
  const { parent } = varied[varied.length - 1] ?? {};
  const group = parent === undefined ? [] : [parent, ...varied.filter((entry) => entry.parent === parent).map((entry) => entry.index)];
  return new Map(group.map((index, place) => [index, String(place + 1)]));
}
