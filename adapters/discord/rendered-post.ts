import type { Json } from '../json.ts';
import type { MarkKind } from './ids.ts';

/** What a post says, before it is laid out as messages. Texts are as Discord reads them, each short enough for one message. */
export interface RenderedPost {
  readonly kind: MarkKind;
  /** At least one. */
  readonly texts: readonly string[];
  /** Action rows below the last text. */
  readonly rows: readonly Json[];
  /** The whole of a text that was too long to be shown; goes out as a file. */
  readonly wholeText: string | null;
}
