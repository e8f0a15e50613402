// Sends an image or a video to the kernel, which keeps it as an input of renders.

const MOST = 64 * 1024 * 1024;

/** Upload a file as an input; returns its id. */
export async function upload(store, file) {
  const { id } = await store.send("keep_input", {}, await bytesOf(file));
  return id;
}

export async function bytesOf(file) {
  if (file.size > MOST) throw new Error("This file is larger than 64 MiB, the limit here.");
  return file.arrayBuffer();
}
