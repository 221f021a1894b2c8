import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { AuroraIamError } from '../errors.ts'

/** Check, right after the login, whether a session is on the writer. */
export interface WriterCheck {
  /** A query of one row with one column. */
  readonly sql: string
  /** The error to end the connection with; undefined when the value of the one column is that of a writer. */
  readonly refusal: (value: unknown) => AuroraIamError | undefined
}

/**
 * Returns the check for a new connection to `target`, or undefined where a reader may answer: only the writer endpoint
 * of a cluster or of a global database promises a writer.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Overview.Endpoints.html
 */
export function writerCheckFor({ hostname, port, kind }: ConnectionTarget): WriterCheck | undefined {
  if (kind !== 'cluster' && kind !== 'global-writer') return undefined
  return {
    // Aurora's readers say it by the first, any other replica by the second.
    sql: 'SELECT @@innodb_read_only OR @@read_only',
    refusal: (value) =>
      Number(value) === 0
        ? undefined
        : new AuroraIamError(
            'ERR_AURORA_IAM_NOT_A_WRITER',
            `${hostname}:${port} still leads to a reader, as it does for some seconds after a failover. The connection ` +
              'was closed; the next one may reach the writer.',
            { option: 'requireWriter' },
          ),
  }
}
