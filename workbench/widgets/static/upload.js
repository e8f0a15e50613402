// Sends a picture or a video to the kernel, which keeps it for renders to begin from.

const MOST = 64 * 1024 * 1024;

/** Keep a file as an input; returns its id. */
export async function upload(store, file) {
  const { id } = await store.send("keep_input", {}, await bytesOf(file));
  return id;
}

export async function bytesOf(file) {
  if (file.size > MOST) throw new Error("This file is larger than the 64 MiB that can be taken here.");
  return file.arrayBuffer();
}
