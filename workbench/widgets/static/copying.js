// Copies a video's prompt, its Python code, or a curl command.

import { requested } from "./job.js";
import { baseUrl } from "./media.js";

/** The render as a call of the Python interface; `wb.render` uses the recipe's parameter names. */
export function asPython(job) {
  const given = requested(job).map(([name, value]) => `${name}=${literal(name, value)}`);
  const lines = [
    "import workbench as wb",
    "",
    `video = wb.open_video(${JSON.stringify(job.job_id)})  # this one: video.path, video.recipe, video.scores`,
    "again = wb.render(",
    `    [${JSON.stringify(job.prompt)}],`,
    ...given.map((one) => `    ${one},`),
    ")",
  ];
  return `${lines.join("\n")}\n`;
}

/** The render as a REST request; the user fills in $TOKEN. */
export function asCurl(job) {
  const given = requested(job).map(([name, value]) => `${JSON.stringify(name)}: ${literal(name, value)}`);
  const body = `{${[`"prompt": ${JSON.stringify(job.prompt)}`, ...given].join(", ")}}`;
  const url = new URL(`${baseUrl()}api/video/single_inference`, location.href).href;
  return [
    `curl -X POST ${quoted(url)}`,
    '-H "Authorization: token $TOKEN"',
    "-H 'Content-Type: application/json'",
    `-d ${quoted(body)}`,
  ].join(" \\\n  ");
}

/** Copy text to the clipboard; false if the browser refuses, as on a page without https. */
export async function copy(text, beside) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyThroughField(text, beside);
  }
}

// The older way also works on plain http, as in a dashboard on a local network.
function copyThroughField(text, beside) {
  const field = document.createElement("textarea");
  field.value = text;
  field.style.cssText = "position: fixed; opacity: 0";
  beside.append(field);
  const focused = document.activeElement;
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return done;
}

function literal(name, value) {
  return name === "seed" || typeof value === "number" ? String(value) : JSON.stringify(value);
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
