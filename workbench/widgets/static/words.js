// Formats times, states and devices, and finds the differences between two texts.

import { hasEnded, tookSeconds } from "./job.js";

const UNITS = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [Infinity, 3600, "h"],
];

const TIME = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" }); // making one takes milliseconds
const DAY = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });

/** "8 s", "2 min", "1 h"; empty if unknown. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 10 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)} s`;
  const [, size, unit] = UNITS.find(([below]) => seconds < below);
  return `${Math.max(1, Math.round(seconds / size))} ${unit}`;
}

/** A render's state in a few words. */
export function jobWords(job, paused = false) {
  if (!job) return "";
  if (job.state === "queued") {
    const ahead = job.queue_position ? `${job.queue_position} ahead` : "next in line";
    const wait = job.wait_s ? `about ${duration(Math.max(1, Math.round(job.wait_s)))}` : "";
    return join("Waiting", ahead, paused ? "the queue is paused" : wait);
  }
  if (job.state === "running") {
    const steps = job.total_steps ? `${job.step} of ${job.total_steps}` : "";
    const left = job.eta_s ? `${duration(Math.max(1, Math.round(job.eta_s)))} left` : "";
    return join(capital(job.stage || "starting"), steps, left);
  }
  if (job.state === "failed") return "Failed";
  if (job.state === "cancelled") return "Cancelled";
  return join("Done", duration(tookSeconds(job)));
}

/** The display name of what renders. */
export function engineWords(engine, model = "") {
  if (engine === "animatic") return "storyboard";
  const short = (model ?? "").split("/").filter(Boolean).pop() ?? "";
  if (engine === "diffusers") return short || "a video model";
  return short ? `${engine}: ${short}` : engine;
}

/** The device that renders a job, and its load. */
export function deviceWords(job, devices) {
  if (!job || hasEnded(job) || !job.device) return "";
  const device = devices.find((one) => one.name === job.device);
  const name = deviceName(job.device, job.gpu_id);
  if (!device) return name;
  const load = device.load === null ? "" : `${Math.round(device.load)} %`;
  const memory = device.memory_total ? `${device.memory_used ?? "–"} / ${device.memory_total} GB` : "";
  return join(name, device.kind === "cuda" ? load : "", device.kind === "cuda" ? memory : "");
}

/** "GPU 0", "CPU 1"; on a machine of a cluster "node-b GPU 0". */
export function deviceName(name, gpu) {
  if (name === "cluster") return "Cluster";
  const [place, ...host] = String(name).split("/").reverse();
  const [kind, number] = place.split(":");
  const known = gpu !== null && gpu !== undefined;
  return `${host.reverse().join("/")} ${known ? `GPU ${gpu}` : `${kind.toUpperCase()} ${number ?? ""}`}`.trim();
}

export function join(...parts) {
  return parts.filter(Boolean).join(" · ");
}

export function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : "";
}

export function plural(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

/** A date and time in the user's locale. */
export function moment(seconds) {
  const when = new Date(seconds * 1000);
  const today = new Date().toDateString() === when.toDateString();
  return `${today ? "today" : DAY.format(when)}, ${clockTime(when)}`;
}

/** "14:05", as people write it here. */
export function clockTime(date) {
  return TIME.format(date);
}

/** The value of a scene field as one text. */
export function valueText(value) {
  return Array.isArray(value) ? value.join("; ") : value || "";
}

const TOKEN = /\s+|[\p{L}\p{N}’'-]+|[^\s\p{L}\p{N}]/gu;

/** Split `after` into runs [{text, fresh}], `fresh` if `before` lacks them. */
export function differences(before, after) {
  const old = before.match(TOKEN) ?? [];
  const now = after.match(TOKEN) ?? [];
  const kept = commonTokens(old.map(fold), now.map(fold));
  const runs = [];
  now.forEach((token, place) => {
    const fresh = !kept.has(place);
    const last = runs[runs.length - 1];
    if (last && (last.fresh === fresh || !token.trim())) last.text += token;
    else runs.push({ text: token, fresh });
  });
  return runs.flatMap(trimmed);
}

/** End a highlight at its last word, not at the space after it. */
function trimmed(run) {
  const text = run.text.trimEnd();
  if (!run.fresh || text === run.text || !text) return [run];
  return [{ text, fresh: true }, { text: run.text.slice(text.length), fresh: false }];
}

function fold(token) {
  return token.trim() ? token.toLowerCase() : " ";
}

/** Positions in `now` that belong to a longest common subsequence with `old`. */
function commonTokens(old, now) {
  const width = now.length + 1;
  const table = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      table[i * width + j] =
        old[i] === now[j]
          ? table[(i + 1) * width + j + 1] + 1
          : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  const kept = new Set();
  for (let i = 0, j = 0; i < old.length && j < now.length; ) {
    if (old[i] === now[j]) {
      kept.add(j);
      i += 1;
      j += 1;
    } else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) i += 1;
    else j += 1;
  }
  return kept;
}

const SHORT = 4;
const SMALL = new Set(
  "a an the and or of in on at to by with from over under into for as is are it its this that through across along up down off out near behind between around upon while".split(" "),
);
const BRIDGE = 3; // small words between two of the user's words count as the user's

/** Split `text` into runs, `mine` if a word comes from the user's text. */
export function ownWords(typed, text) {
  const words = typed.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const stems = new Set(words.filter((word) => !SMALL.has(word)).map(stem));
  const small = new Set(words.filter((word) => SMALL.has(word)));
  const tokens = text.match(TOKEN) ?? [];
  const mine = tokens.map((token) => stems.has(stem(token.toLowerCase())));
  let last = -1;
  for (let place = 0; place < tokens.length; place += 1) {
    if (!mine[place]) continue;
    const between = tokens.slice(last + 1, place).filter((token) => token.trim());
    const bridged = between.length <= BRIDGE && between.every((token) => small.has(token.toLowerCase()));
    if (last >= 0 && bridged) mine.fill(true, last, place);
    last = place;
  }
  const runs = [];
  tokens.forEach((token, place) => {
    const previous = runs[runs.length - 1];
    if (previous && previous.mine === mine[place]) previous.text += token;
    else runs.push({ text: token, mine: mine[place] });
  });
  return runs;
}

function stem(word) {
  const cut = word.replace(/(?:ning|ing|es|s|ed)$/u, "");
  return cut.length >= SHORT - 1 ? cut : word;
}
