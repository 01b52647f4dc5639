import { type Attack, outcome, verdict } from '../attack.ts';

export const escapeAttacks: readonly Attack[] = [
  {
    id: 't01-capabilities',
    threat: 1,
    attack: 'no process of the container holds a capability, as the host sees it',
    alone: false,
    async run(stage) {
      const session = await stage.shared();
      const execution = await stage.run(session, 'print("here")');
      const processes = await stage.host.processes(session);
      const own = processes.filter(({ userId }) => userId !== 0);
      const held = own.filter(({ status }) => !/^0+$/.test(status['CapEff'] ?? ''));
      return verdict(`${processes.length} processes, none with a capability`, [
        execution.status !== 'ok' && outcome(execution),
        processes.length === 0 && 'the host sees no process of the container',
        held.length > 0 && `${held.map(({ name }) => name).join(', ')} hold capabilities`,
      ]);
    },
  },
];
