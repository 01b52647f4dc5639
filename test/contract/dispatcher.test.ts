import { createInProcessDispatcher } from '../../src/queue/in-process-dispatcher.ts';
import { createLogger } from '../../src/log.ts';
import { describeDispatcher } from './dispatcher.ts';

describeDispatcher('in process', async () => createInProcessDispatcher({ log: createLogger('silent') }));
