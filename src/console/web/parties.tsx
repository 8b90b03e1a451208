/** Who calls and where to: what each may do and did, what each system costs, and the levers of an operator. */
import { Button, DynamicPage, DynamicPageTitle, ObjectStatus, Title, Toast } from '@ui5/webcomponents-react';
import { useState, type ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { TenantGauge } from '../api/overview.ts';
import type { CallerState, Hold, Parties, SystemState } from '../api/parties.ts';
import { ActionDialog, type Action } from './action-dialog.tsx';
import { fill } from './api.ts';
import { Busy, Refused } from './busy.tsx';
import { Card } from './card.tsx';
import { useFetched } from './fetched.ts';
import { MixBar, Patterns } from './outcomes.tsx';
import { TenantStatus } from './quota-gauge.tsx';
import { useWords } from './words.tsx';

type Act = (action: Action) => void;

export function PartiesPage(): ReactNode {
  const { say, format } = useWords();
  const { value, refusal, again } = useFetched<Parties>(endpoints.parties.path, 5000);
  const [action, setAction] = useState<Action>();
  const [done, setDone] = useState<string>();
  const [acted, setActed] = useState<ReadonlySet<string>>(new Set());
  return (
    <DynamicPage
      hidePinButton
      className="page"
      titleArea={
        <DynamicPageTitle
          heading={
            <Title level="H1" size="H3">
              {say('page.parties')}
            </Title>
          }
          subheading={
            <span className="quiet">
              {value && say('parties.since', { moment: format.moment(value.since) })}
            </span>
          }
        />
      }
    >
      <Patterns />
      {refusal && <Refused refusal={refusal} again={again} />}
      {value ? (
        <div className="stack">
          <Holds holds={value.holds} released={acted} act={setAction} />
          <Tenants tenants={value.tenants} act={setAction} />
          <Systems systems={value.systems} act={setAction} />
          <Callers callers={value.callers} />
        </div>
      ) : (
        !refusal && <Busy />
      )}
      <ActionDialog
        action={action}
        close={() => setAction(undefined)}
        done={(reply) => {
          setDone(reply.done);
          if (action) setActed(new Set([...acted, action.path]));
          again();
        }}
      />
      <Toast open={done !== undefined} duration={5000} onClose={() => setDone(undefined)}>
        {done}
      </Toast>
    </DynamicPage>
  );
}

interface HoldsProps {
  readonly holds: readonly Hold[];
  /** Paths of releases; what was released is held until it has gone up. */
  readonly released: ReadonlySet<string>;
  readonly act: Act;
}

function Holds({ holds, released, act }: HoldsProps): ReactNode {
  const { say, format } = useWords();
  if (holds.length === 0) return null;
  return (
    <Card title={say('holds')} note={say('holds.note')} className="alarm">
      <table className="lines">
        <thead>
          <tr>
            <th scope="col">{say('column.caller')}</th>
            <th scope="col">{say('column.system')}</th>
            <th scope="col">{say('holds.what')}</th>
            <th scope="col" className="end">
              {say('holds.count')}
            </th>
            <th scope="col">{say('holds.since')}</th>
            <th scope="col">
              <span className="unseen">{say('actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {holds.map(({ id, caller, system, what, count, since }) => (
            <tr key={id}>
              <th scope="row">{caller}</th>
              <td>{system}</td>
              <td>{what}</td>
              <td className="end">{format.count(count)}</td>
              <td>{format.moment(since)}</td>
              <td className="end">
                {released.has(fill(endpoints.release.path, { hold: id })) ? (
                  <ObjectStatus state="Information" showDefaultIcon>
                    {say('released')}
                  </ObjectStatus>
                ) : (
                  <Button
                    design="Attention"
                    onClick={() =>
                      act({
                        path: fill(endpoints.release.path, { hold: id }),
                        title: say('release'),
                        text: say('release.text', { count: format.count(count), caller, system }),
                        button: say('release'),
                      })
                    }
                  >
                    {say('release')}
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function Tenants({
  tenants,
  act,
}: {
  readonly tenants: readonly TenantGauge[];
  readonly act: Act;
}): ReactNode {
  const { say, format } = useWords();
  return (
    <Card title={say('tenants')} note={say('tenants.note')}>
      <table className="lines">
        <thead>
          <tr>
            <th scope="col">{say('column.tenant')}</th>
            <th scope="col">{say('state')}</th>
            <th scope="col" className="end">
              {say('quota.up')}
            </th>
            <th scope="col" className="end">
              {say('quota.pace')}
            </th>
            <th scope="col" className="end">
              {say('quota.queued')}
            </th>
            <th scope="col" className="end">
              {say('quota.wait')}
            </th>
            <th scope="col">
              <span className="unseen">{say('actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tenants.map((gauge) => (
            <tr key={gauge.tenant}>
              <th scope="row">{gauge.tenant}</th>
              <td>
                <TenantStatus gauge={gauge} />
                {gauge.paused && (
                  <div className="quiet small">
                    {say('tenant.pausedBy', { by: gauge.paused.by, reason: gauge.paused.reason })}
                  </div>
                )}
              </td>
              <td className="end">{format.count(gauge.upLastMinute)}</td>
              <td className="end">{format.count(gauge.perMinute)}</td>
              <td className="end">{format.count(gauge.queued)}</td>
              <td className="end">
                {gauge.predictedWaitMs === 0 ? '–' : format.span(gauge.predictedWaitMs)}
              </td>
              <td className="end">
                <TenantButton gauge={gauge} act={act} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function TenantButton({
  gauge: { tenant, paused },
  act,
}: {
  readonly gauge: TenantGauge;
  readonly act: Act;
}): ReactNode {
  const { say } = useWords();
  return paused ? (
    <Button
      onClick={() =>
        act({
          path: fill(endpoints.resume.path, { tenant }),
          title: say('resume.title', { tenant }),
          text: say('resume.text'),
          button: say('resume'),
        })
      }
    >
      {say('resume')}
    </Button>
  ) : (
    <Button
      onClick={() =>
        act({
          path: fill(endpoints.pause.path, { tenant }),
          title: say('pause.title', { tenant }),
          text: say('pause.text'),
          button: say('pause'),
          timed: true,
        })
      }
    >
      {say('pause')}
    </Button>
  );
}

function Systems({
  systems,
  act,
}: {
  readonly systems: readonly SystemState[];
  readonly act: Act;
}): ReactNode {
  const { say } = useWords();
  return (
    <Card title={say('systems')} note={say('systems.note')}>
      <div className="scroll" tabIndex={0} role="region" aria-label={say('systems')}>
        <table className="lines">
          <thead>
            <tr>
              <th scope="col">{say('column.system')}</th>
              <th scope="col" className="end">
                {say('systems.calls')}
              </th>
              <th scope="col" className="end">
                {say('systems.up')}
              </th>
              <th scope="col">{say('systems.saved')}</th>
              <th scope="col">{say('systems.fresh')}</th>
              <th scope="col">{say('systems.snapshot')}</th>
              <th scope="col">{say('systems.probe')}</th>
              <th scope="col">
                <span className="unseen">{say('actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {systems.map((system) => (
              <SystemLine key={system.id} system={system} act={act} />
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function SystemLine({ system, act }: { readonly system: SystemState; readonly act: Act }): ReactNode {
  const { say, format } = useWords();
  const { id, name, tenant, resourceTypes, calls, up, saved, cache, snapshot } = system;
  const share = calls === 0 ? 0 : saved / calls;
  return (
    <tr>
      <th scope="row">
        <div>{name}</div>
        <div className="quiet small">
          {name !== id && <code>{id}</code>}
          <div>
            {tenant} · {resourceTypes.join(', ')}
          </div>
        </div>
      </th>
      <td className="end">{format.count(calls)}</td>
      <td className="end">{format.count(up)}</td>
      <td className="saved">
        <svg width="64" height="8" aria-hidden="true">
          <rect width="64" height="8" rx="2" className="fill-track" />
          <rect width={64 * Math.min(share, 1)} height="8" rx="2" className="fill-measure" />
        </svg>{' '}
        {format.count(saved)} <span className="quiet">{format.share(share)}</span>
      </td>
      <td>
        {cache.on
          ? say('systems.fresh.for', { span: format.span(cache.lifetimeMs) })
          : say('systems.fresh.off')}
        {cache.oldestServedMs !== undefined && (
          <div className="quiet small">
            {say('systems.fresh.oldest', { span: format.span(cache.oldestServedMs) })}
          </div>
        )}
        {cache.forgottenAt !== undefined && (
          <div className="quiet small">
            {say('systems.forgotten', { moment: format.moment(cache.forgottenAt) })}
          </div>
        )}
      </td>
      <td>
        {snapshot ? (snapshot.ageMs === undefined ? snapshot.state : format.span(snapshot.ageMs)) : '–'}
      </td>
      <td className="nowrap">
        <Probe probe={system.probe} />
      </td>
      <td className="end">
        {cache.on && (
          <Button
            onClick={() =>
              act({
                path: fill(endpoints.forget.path, { system: id }),
                title: say('forget.title', { system: name }),
                text: say('forget.text'),
                button: say('forget'),
              })
            }
          >
            {say('forget')}
          </Button>
        )}
      </td>
    </tr>
  );
}

function Probe({ probe: { state, at, detail } }: Pick<SystemState, 'probe'>): ReactNode {
  const { say, format } = useWords();
  if (state === 'off') return <span className="quiet">{say('probe.off')}</span>;
  return (
    <>
      <ObjectStatus state={state === 'agrees' ? 'Positive' : 'Critical'} showDefaultIcon>
        {say(`probe.${state}`)}
      </ObjectStatus>
      {(at ?? detail) !== undefined && (
        <div className="quiet small">
          <div>{detail}</div>
          {at !== undefined && format.ago(at)}
        </div>
      )}
    </>
  );
}

function Callers({ callers }: { readonly callers: readonly CallerState[] }): ReactNode {
  const { say, format } = useWords();
  return (
    <Card title={say('callers')} note={say('callers.note')}>
      <div className="scroll" tabIndex={0} role="region" aria-label={say('callers')}>
        <table className="lines">
          <thead>
            <tr>
              <th scope="col">{say('column.caller')}</th>
              <th scope="col">{say('callers.may')}</th>
              <th scope="col" className="end">
                {say('callers.reads')}
              </th>
              <th scope="col" className="end">
                {say('callers.writes')}
              </th>
              <th scope="col">{say('mix')}</th>
              <th scope="col">{say('callers.last')}</th>
            </tr>
          </thead>
          <tbody>
            {callers.map(({ name, may, sourceNetworks, reads, writes, outcomes, lastAt }) => (
              <tr key={name}>
                <th scope="row">
                  <div>{name}</div>
                  {sourceNetworks && <div className="quiet small">{sourceNetworks.join(', ')}</div>}
                </th>
                <td>
                  <ul className="plain" lang="en">
                    {may.map((sentence) => (
                      <li key={sentence}>{sentence}</li>
                    ))}
                  </ul>
                </td>
                <td className="end">{format.count(reads)}</td>
                <td className="end">{format.count(writes)}</td>
                <td className="mix-cell">
                  <MixBar outcomes={outcomes} />
                </td>
                <td>{lastAt === undefined ? say('callers.never') : format.ago(lastAt)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
