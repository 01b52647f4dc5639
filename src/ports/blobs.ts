/** Bytes as they come. */
export type Bytes = AsyncIterable<Uint8Array>;

/** Content-addressed bytes. */
export interface Blobs {
  /** Rejects with `file-too-large` past `maxBytes`, keeping nothing. The same bytes are stored once. */
  put(
    bytes: Bytes,
    options: { readonly maxBytes: number },
  ): Promise<{ readonly sha256: string; readonly sizeBytes: number }>;
  /** Rejects with `file-unavailable` when it is not there or its bytes no longer match the hash. */
  get(sha256: string): Bytes;
  /** Removes these; one that is not there is no failure. */
  remove(sha256s: readonly string[]): Promise<void>;
  /** Removes blobs that are older than `olderThanMs` and not in `keep`; resolves to how many. Rejects with the signal's reason when it aborts. */
  sweep(keep: ReadonlySet<string>, olderThanMs: number, signal: AbortSignal): Promise<number>;
  /** Resolves where blobs could be put and got now; rejects with the reason. */
  ping(signal: AbortSignal): Promise<void>;
}
