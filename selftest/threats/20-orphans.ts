import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { labelNames } from '../../sandbox/owner.ts';
import { settled, unseen } from '../aftermath.ts';
import { type Attack, outcome, type Stage, verdict } from '../attack.ts';

/** A process of its own that owns a sandbox and runs an endless cell in it. */
const ownerProgram = new URL('../../test/fakes/sandbox-owner.ts', import.meta.url);

interface Begun {
  readonly ownerId: string;
  readonly sessionId: string;
}

async function ownedBy(stage: Stage, ownerId: string): Promise<number> {
  return (await stage.engine.list()).filter(({ labels }) => labels[labelNames.owner] === ownerId).length;
}

/** A container that nobody labelled, as another program on the same engine would have. */
async function foreignContainer(stage: Stage): Promise<{ readonly id: string; close(): Promise<void> }> {
  const seccomp = readFileSync(new URL('../../sandbox/seccomp.json', import.meta.url), 'utf8');
  const { image, limits, runtime, engine } = stage;
  const { id, stream } = await engine.launch({ image, runtime, limits, seccomp, labels: {} }, () => {});
  return {
    id,
    close: async () => {
      stream.destroy();
      await engine.remove(id);
    },
  };
}

export const orphanAttacks: readonly Attack[] = [
  {
    id: 't20-killed-owner',
    threat: 20,
    attack:
      'the bot killed with SIGKILL in the middle of a cell: no container of it is left after a sweep, foreign ones stay',
    alone: true,
    async run(stage) {
      const foreign = await foreignContainer(stage);
      const owner = fork(ownerProgram, [stage.image, stage.runtime], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
      try {
        const [begun] = (await once(owner, 'message', { signal: stage.signal })) as [Begun];
        const before = await ownedBy(stage, begun.ownerId);
        owner.kill('SIGKILL');
        await once(owner, 'exit');
        const killedAt = performance.now();
        const isGone = await settled(async () => {
          await stage.provider.sweep();
          return (await ownedBy(stage, begun.ownerId)) === 0;
        });
        const elapsedMs = Math.round(performance.now() - killedAt);
        const isClear = await settled(async () => (await stage.host.processes({ id: begun.sessionId })).length === 0);
        const foreignLives = (await stage.host.processes(foreign)).length > 0;
        return verdict(`${before} container before, none ${elapsedMs} ms after the kill; the foreign one lives`, [
          before !== 1 && `${before} containers before the kill`,
          !isGone && 'its container is still there',
          !isClear && 'the host still sees its processes',
          !foreignLives && 'a foreign container was removed',
        ]);
      } finally {
        owner.kill('SIGKILL');
        await foreign.close();
      }
    },
  },
  {
    id: 't20-living-owner',
    threat: 20,
    attack: 'a sweep leaves alone what a living process owns, and its cell runs on',
    alone: false,
    async run(stage) {
      const session = await stage.borrowed();
      const running = stage.run(session, 'import time\ntime.sleep(0.5)\nprint("whole")');
      await stage.provider.sweep();
      const execution = await running;
      return { contained: execution.stdout === 'whole\n', evidence: outcome(execution) };
    },
  },
  {
    id: 't20-disposed',
    threat: 20,
    attack: 'a session that was let go leaves no process and no container, also with a cell running',
    alone: false,
    async run(stage) {
      const session = await stage.session();
      const running = stage.run(
        session,
        'import subprocess, time\nsubprocess.Popen(["sleep", "60"], start_new_session=True)\ntime.sleep(60)',
        30_000,
      );
      const wasSeen = await settled(async () => (await stage.host.processes(session)).length > 0);
      await session[Symbol.asyncDispose]();
      const execution = await running;
      const isGone = await settled(async () => {
        const isListed = (await stage.engine.list()).some(({ id }) => id === session.id);
        return !isListed && (await stage.host.processes(session)).length === 0;
      });
      return verdict(`the running cell: ${execution.status}; neither the engine nor the host knows it any more`, [
        execution.status !== 'lost' && outcome(execution),
        !wasSeen && unseen,
        !isGone && 'it is still there',
      ]);
    },
  },
];
