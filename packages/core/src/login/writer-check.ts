import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { AuroraIamError } from '../errors.ts'
import { describe } from '../util/describe.ts'

/** Check, right after the login, whether a session is on the writer. */
export interface WriterCheck {
  /** A query of one row with one column. */
  readonly sql: string
  /** The error to end the connection with; undefined when the value of the one column is that of a writer. */
  readonly refusal: (value: unknown) => AuroraIamError | undefined
}

// Aurora's readers say it by the first, any other replica by the second.
const SQL = 'SELECT @@innodb_read_only OR @@read_only'

// Forms that drivers give the 0 or 1 of the server, and that servers give a variable.
const WRITER: ReadonlySet<unknown> = new Set(['0', 'OFF', 'false'])
const READER: ReadonlySet<unknown> = new Set(['1', 'ON', 'true'])

/**
 * Returns the check for a new connection to `target`, or undefined where a reader may answer: only the writer endpoint
 * of a cluster or of a global database promises a writer. An answer that is neither 0 nor 1 is no writer's.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Overview.Endpoints.html
 */
export function writerCheckFor({ hostname, port, kind }: ConnectionTarget): WriterCheck | undefined {
  if (kind !== 'cluster' && kind !== 'global-writer') return undefined
  const refused = (problem: string) =>
    new AuroraIamError('ERR_AURORA_IAM_NOT_A_WRITER', problem, { option: 'requireWriter' })
  return {
    sql: SQL,
    refusal: (value) => {
      const text = textOf(value)
      if (WRITER.has(text)) return undefined
      if (READER.has(text)) {
        return refused(
          `${hostname}:${port} still leads to a reader, as it does for some seconds after a failover. The connection ` +
            'was closed; the next one may reach the writer.',
        )
      }
      return refused(
        `requireWriter: ${hostname}:${port} did not show whether it is a writer. Expected 0 or 1 from \`${SQL}\`, got ` +
          `${describe(value)}. The connection was closed. Check what stands between the program and the database, or ` +
          'leave `requireWriter` out.',
      )
    },
  }
}

/** Returns a scalar as text, and anything else unchanged. */
function textOf(value: unknown): unknown {
  return Buffer.isBuffer(value) || /^(number|bigint|boolean)$/.test(typeof value) ? String(value) : value
}
