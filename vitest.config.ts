import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Files that take longest, most first: one of them begun last would leave the other worker idle for minutes. */
const longest = [
  'python-suites',
  'discord-chaos',
  'machines-chaos',
  'discord-process',
  'killed-bot',
  'sandbox-docker',
  'slack-chaos',
  'bot-image',
  'conversation-crashes',
  'card-command',
  'bad-input',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is the sequencer that sorts
    const usual = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return index === -1 ? longest.length : index;
    };
    return usual.toSorted((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Tests with real containers share two cores and one engine: more workers only make each other time out.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
});
