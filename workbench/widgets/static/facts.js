// How a video was made, in a few rows.

import { h } from "./dom.js";
import { tookSeconds } from "./job.js";
import { deviceName, duration, engineWords, join } from "./words.js";

/** The facts of a render as [label, value] rows. */
export function factsOf(job) {
  const rows = {
    Videos: engineWords(job.engine, job.model),
    Seed: job.seed_text,
    Size: sizeWords(job),
    Length: lengthWords(job),
    Steps: job.num_inference_steps ? String(job.num_inference_steps) : "",
    Guidance: job.guidance_scale ? String(job.guidance_scale) : "",
    Device: job.device ? deviceName(job.device, job.gpu_id) : "",
    Took: duration(tookSeconds(job)),
    Sound: job.has_audio ? "yes" : "",
    File: bytesWords(job.size_bytes),
    Id: job.job_id,
  };
  return Object.entries(rows).filter(([, value]) => value);
}

/** The same in one line. */
export function factsLine(job) {
  return join(`seed ${job.seed_text}`, sizeWords(job), lengthWords(job), job.model);
}

export function factsRows(job) {
  return factsOf(job).flatMap(([name, value]) => [h("dt", { text: name }), h("dd", { text: value })]);
}

export function sizeWords(job) {
  return job.width ? `${job.width} × ${job.height}` : "";
}

/** A human-readable file size; empty for none. */
export function bytesWords(bytes) {
  if (!bytes) return "";
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function lengthWords(job) {
  if (!job.num_frames) return "";
  return job.fps ? `${(job.num_frames / job.fps).toFixed(1)} s, ${job.num_frames} frames` : `${job.num_frames} frames`;
}
