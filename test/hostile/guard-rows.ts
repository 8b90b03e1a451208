/** Row 68: somebody deletes more than anybody meant. The list says 500 in an hour; here the sixth stands for the 501st. */
import { besiege, type Siege } from '../support/siege.ts';
import { credential, pace } from './plain-stage.ts';
import type { Seen, Stage } from './row.ts';

const ceiling = 5;

const besiegeGuarded = (): Promise<Siege> =>
  besiege({
    tenant: { credential, pace },
    config: { guard: { window: '1h', deletes: { most: ceiling, share: 0 } } },
  });

const isHeld = ({ records, answers }: Seen): boolean =>
  records.some(({ outcome }) => outcome?.error === 'held') && /guard/.test(answers.at(-1)?.body ?? '');

export const guarded: Stage = {
  title: 'under a guard of five deletes in an hour',
  open: besiegeGuarded,
  rows: [
    {
      row: 68,
      differs:
        'It says authz.denied: the record is a refusal like any other, with the error `held`, and guard.exceeded is the alert.',
      situation: 'one delete more than the guard allows in an hour',
      cases: [
        {
          sent: 'six deletes',
          play: async (scene) => {
            for (let user = 0; user <= ceiling; user += 1)
              await scene.call('DELETE', `${scene.path}-${user}`);
          },
          expected: {
            answers: '204, 204, 204, 204, 204, 403',
            connection: 'kept',
            tenant: 'DELETE, DELETE, DELETE, DELETE, DELETE',
            trail: 'request.outcome, request.rejected',
          },
          besides: { 'the refusal names the guard': isHeld },
        },
      ],
    },
  ],
};
