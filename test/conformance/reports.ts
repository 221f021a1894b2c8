import { type ConnectFailedEvent, createAuroraIam } from '@aurora-iam/core'
import type { LocalAurora } from '@aurora-iam/local'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { recordEvents } from '@aurora-iam/test-support/record-events'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { describe, expect, test } from 'vitest'
import type { Suite } from './harness.ts'

type Faults = Parameters<LocalAurora['faults']['set']>[0]

const TLS_CUT = 'a cut during TLS'

/** Ways in which a server ends a login, and the outcome that the limiter gets. */
const CAUSES: ReadonlyArray<readonly [cause: string, faults: Faults, outcome: 'failed' | 'throttled']> = [
  ['a certificate of another authority', { certificate: 'other-ca' }, 'failed'],
  ['a certificate for another name', { certificate: 'wrong-name' }, 'failed'],
  ['an expired certificate', { certificate: 'expired' }, 'failed'],
  ['a self-signed certificate', { certificate: 'self-signed' }, 'failed'],
  ['no TLS', { tls: 'absent' }, 'failed'],
  ['1040 in place of a greeting', { error: { errno: 1040, message: 'Too many connections' } }, 'throttled'],
  ['1129 in place of a greeting', { error: { errno: 1129, message: 'Host is blocked' } }, 'failed'],
  ['1130 in place of a greeting', { error: { errno: 1130, message: 'Host is not allowed' } }, 'failed'],
  [TLS_CUT, { cutAfterBytes: 300 }, 'failed'],
  ['1045 to the token', { refuse: 'NotAuthorized' }, 'failed'],
]

/**
 * Tests that each way a login can end is reported once, to all. Adapters that copy errors are left out: mysql2 before
 * 3.22 tells some to the caller alone, and Prisma has separate ones.
 */
export function reports({ harness, aurora, connect }: Suite): void {
  describe.runIf(harness.capabilities.keepsErrors)('reports', () => {
    const { throwsAtTlsCut } = harness.capabilities
    test.each(CAUSES.filter(([cause]) => cause !== TLS_CUT || !throwsAtTlsCut))(
      '%s: caller, event and statistics have one error, the limiter its kind',
      async (_cause, faults, outcome) => {
        const limiter = createRateLimiter({ limit: 20 })
        const iam = createAuroraIam({ ...aurora().iam, rateLimit: limiter })
        const events = recordEvents<ConnectFailedEvent>('aurora-iam:connect-failed')
        aurora().faults.set(faults)
        const query = connect({ connectionLimit: 1 }, iam).then((client) => client.query('SELECT 1'))
        const error = await rejectionOf(query)
        await until(() => limiter.stats()[outcome] === 1)
        expect(events).toHaveLength(1)
        expect(events[0]?.error).toBe(error)
        expect(iam.stats()).toMatchObject({
          connectionsFailed: 1,
          lastError: { code: error.code, message: error.message },
        })
        expect(limiter.stats()).toMatchObject({ [outcome]: 1, granted: 1, inFlight: 0 })
      },
    )
  })
}
