// How a video was made, in a few rows.

import { h } from "./dom.js";
import { deviceName, duration, join } from "./words.js";

/** What is known of a render: [label, value] rows. */
export function factsOf(job) {
  const rows = {
    Engine: job.model ? `${job.engine}, ${job.model}` : job.engine,
    Seed: job.seed,
    Size: job.size[0] ? `${job.size[0]} × ${job.size[1]}` : "",
    Length: lengthWords(job),
    Steps: job.asked?.num_inference_steps ? String(job.asked.num_inference_steps) : "",
    Guidance: job.asked?.guidance_scale ? String(job.asked.guidance_scale) : "",
    Device: job.device ? deviceName(job.device, job.gpu) : "",
    Took: job.started && job.finished ? duration(job.finished - job.started) : "",
    Id: job.id,
  };
  return Object.entries(rows).filter(([, value]) => value);
}

/** The same in one line. */
export function factsLine(job) {
  const size = job.size[0] ? `${job.size[0]} × ${job.size[1]}` : "";
  return join(`seed ${job.seed}`, size, lengthWords(job), job.model);
}

export function factsRows(job) {
  return factsOf(job).flatMap(([name, value]) => [h("dt", { text: name }), h("dd", { text: value })]);
}

function lengthWords(job) {
  if (!job.frames) return "";
  return job.fps ? `${(job.frames / job.fps).toFixed(1)} s, ${job.frames} frames` : `${job.frames} frames`;
}
