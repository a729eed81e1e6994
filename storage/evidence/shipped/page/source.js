// The bytes of a file that somebody chose, read by the span: each read asks another process.

const SPAN = 1024 * 1024;
const MOST_KEPT = 8; // Two spans each.

export class Source {
  #kept = new Map(); // By where they begin, in spans; what was used last stands last.

  constructor(blob) {
    this.blob = blob;
    this.size = blob.size;
  }

  // Return so many bytes from there on, fewer where the file ends. They belong to this.
  async bytes(at, size) {
    if (size > SPAN) return new Uint8Array(await this.blob.slice(at, at + size).arrayBuffer());
    const from = Math.floor(at / SPAN);
    const kept = this.#kept.get(from) ?? this.#read(from * SPAN);
    this.#kept.delete(from);
    this.#kept.set(from, kept);
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value);
    return (await kept).subarray(at - from * SPAN, at - from * SPAN + size);
  }

  // Return the same as a stream.
  async stream(at, size) {
    if (size > SPAN) return this.blob.slice(at, at + size).stream();
    const bytes = await this.bytes(at, size);
    const start = (control) => {
      if (bytes.length) control.enqueue(bytes);
      control.close();
    };
    return new ReadableStream({ start });
  }

  // What is no longer than a span and begins in this one ends in it or in the next.
  async #read(from) {
    return new Uint8Array(await this.blob.slice(from, from + 2 * SPAN).arrayBuffer());
  }
}
