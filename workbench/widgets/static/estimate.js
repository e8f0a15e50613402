// Remaining time of renders, from the queue's estimates.

import { isComplete, tookSeconds } from "./job.js";

/** Seconds until the last of these has ended; null if unknown, 0 if all have. */
export function secondsLeft(jobs) {
  const open = jobs.filter((job) => job.state === "queued" || job.state === "running");
  if (!open.length) return 0;
  const each = renderSeconds(jobs);
  const ends = open.map((job) => {
    if (job.state === "running") return job.eta_s;
    return job.wait_s === null || each === null ? null : job.wait_s + each;
  });
  return ends.includes(null) ? null : Math.max(1, Math.round(Math.max(...ends)));
}

/** Seconds per render: from the finished ones, or else from the estimates of running ones. */
function renderSeconds(jobs) {
  const done = jobs.filter((job) => isComplete(job)).map(tookSeconds).filter(Boolean);
  const running = jobs
    .filter((job) => job.state === "running" && job.eta_s !== null && job.progress < 100)
    .map((job) => job.eta_s / (1 - job.progress / 100));
  const known = done.length ? done : running;
  return known.length ? known.reduce((sum, one) => sum + one, 0) / known.length : null;
}
