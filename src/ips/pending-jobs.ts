/**
 * Jobs that the tenant's end interrupted, kept in the tenant's state so that its next start resumes them
 * (facts: IPS 9, Pending Restart). Without a state file nothing outlives the process, and nothing is resumed.
 */
import { DatabaseSync } from 'node:sqlite';

import { jobTypes, type JobType, type Position } from './job.ts';
import { resourceTypes } from './resource.ts';

export interface PendingJob extends Position {
  readonly source: string;
  readonly jobType: JobType;
}

const table = `
  CREATE TABLE IF NOT EXISTS pending (
    seq INTEGER PRIMARY KEY, source TEXT NOT NULL, job TEXT NOT NULL, type TEXT NOT NULL, start INTEGER NOT NULL);
`;

export class PendingJobs implements Disposable {
  readonly #database: DatabaseSync;

  constructor(file = ':memory:') {
    this.#database = new DatabaseSync(file);
    this.#database.exec(table);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  add({ source, jobType, type, startIndex }: PendingJob): void {
    const insert = 'INSERT INTO pending (source, job, type, start) VALUES (?, ?, ?, ?)';
    this.#database.prepare(insert).run(source, jobType, type, startIndex);
  }

  /** All of them, oldest first; they are forgotten here. */
  take(): PendingJob[] {
    const rows = this.#database.prepare('DELETE FROM pending RETURNING *').all();
    return rows
      .toSorted((some, other) => Number(some['seq']) - Number(other['seq']))
      .flatMap(({ source, job, type, start }) => {
        const jobType = jobTypes.find((known) => known === job);
        const entity = resourceTypes.find((known) => known === type);
        return jobType && entity
          ? [{ source: String(source), jobType, type: entity, startIndex: Number(start) }]
          : [];
      });
  }
}
