/** Every figure of the bot's side of the sandbox. Bytes and milliseconds. What a person may set is in `SandboxLimits` and the config. */

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** Caps of a frame, as `protocol.md` states them. Both sides close on a frame above. */
export const frameCaps = { headerBytes: mebibyte, payloadBytes: 16 * mebibyte } as const;

/** Longest code of one cell and longest piece of a file in one frame, from `protocol.md`. */
export const maxCodeBytes = 4 * mebibyte;
export const pieceBytes = mebibyte;

/** Between the interrupt and the kill of a cell that does not stop. */
export const graceMs = 2_000;

/** stdout and stderr of one cell together. The driver cuts there; this side cuts a little above, for the line that says so. */
export const maxOutputBytes = mebibyte;
export const outputSlackBytes = 16 * kibibyte;

/** Results of one cell: enough for every chart of a long analysis, and a bound on what one cell can make the bot hold. */
export const maxResults = 100;
export const maxResultsBytes = 64 * mebibyte;

/** Of JSON in a result. Charts and tables need 6. */
export const maxJsonDepth = 100;

/** The driver's own stderr, kept for the log. */
export const driverStderrBytes = 64 * kibibyte;

/**
 * On top of a cell's time and grace: hashing a full workspace took 2 s per GB, and a busy machine several times that.
 * Past it the driver counts as dead and its container is removed.
 */
export const watchdogMarginMs = 15_000;

/** Longest silence of the driver while it owes an answer, and longest stall of its stdin. */
export const driverIdleMs = 30_000;

/** From start to `ready`: importing the scientific stack takes 1.5 s warm and several times that from a cold disk. */
export const readyTimeoutMs = 60_000;

/** An idle driver answered a ping within 1 ms; this much silence on a busy machine, and a fresh container is sooner there. */
export const pingMs = 1_000;

/** Containers starting at once: one takes a core for 1.5 s, so more of them on two cores make each one later. */
export const bootsAtOnce = 2;

/** A warm container that nobody spoke to for this long is asked for a sign of life before it is given away. */
export const checkAfterMs = 30_000;

/** A warm container older than this is replaced, the new one first. */
export const maxWarmMs = 60 * 60 * 1000;

/** How long a caller waits for an engine that answered before: a restart of the engine took 2 to 15 s. */
export const outageMs = 30_000;
export const outagePollMs = 500;

/** One call to the engine. Removing a container that holds much memory is the slowest. */
export const engineCallMs = 15_000;

/** How long a removed provider waits for its containers to go. */
export const disposeMs = 20_000;

/**
 * No container lives longer than this. Its owner ends it then; a stranger may remove it `deadlineSlackMs` later, which
 * covers clocks that differ between machines.
 */
export const maxLifetimeMs = 24 * 60 * 60 * 1000;
export const deadlineSlackMs = 60 * 60 * 1000;

/** How long a lost session waits for the engine's word that memory was the reason; the event came within 20 ms. */
export const oomEventWaitMs = 300;

/** Open files of one process, POSIX shared memory, and inodes of each writable file system. */
export const openFiles = 1024;
export const sharedMemoryBytes = 64 * mebibyte;
export const inodes = 32_768;

/** The user that the image runs as; the tmpfs mounts belong to it. */
export const sandboxUserId = 10_001;

/**
 * Of several engines, one that failed gets no new session for this long and is then asked whether it is back; how often callers that
 * wait for room on any of them look for it.
 */
export const asideMs = 30_000;
export const roomPollMs = 200;
