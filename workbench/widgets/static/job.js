// Derived facts of a job object, the public JSON of a job: see workbench/presentation.py.

const ENDED = new Set(["complete", "failed", "cancelled"]);
const REQUESTED = [
  "engine", "model", "seed", "width", "height", "num_frames", "fps",
  "num_inference_steps", "guidance_scale", "negative_prompt",
];

export function isComplete(job) {
  return job?.state === "complete";
}

export function hasEnded(job) {
  return ENDED.has(job?.state);
}

const created = new WeakMap();

/** When it was asked for, in milliseconds; read once, as sorting asks for it again and again. */
export function createdAt(job) {
  if (!created.has(job)) created.set(job, Date.parse(job.created_at));
  return created.get(job);
}

/** Compare by age, the oldest first. */
export function byAge(a, b) {
  return createdAt(a) - createdAt(b) || a.position - b.position;
}

/** Seconds of rendering; null until it has ended. */
export function tookSeconds(job) {
  if (!job.started_at || !job.finished_at) return null;
  return (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000;
}

/** The parameters that reproduce the video: [name, value], named as in Python and REST. */
export function requested(job) {
  return REQUESTED.map((name) => [name, name === "seed" ? job.seed_text : job[name]]).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
}
