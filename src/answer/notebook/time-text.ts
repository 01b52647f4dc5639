/** A moment for a person, without a time zone to guess: `2026-11-20 22:15 UTC`. */
export function timeText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
