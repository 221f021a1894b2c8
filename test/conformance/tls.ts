import type { Faults } from '@aurora-iam/local'
import { describe, expect, test } from 'vitest'
import type { Suite } from './harness.ts'

type FaultSettings = Parameters<Faults['set']>[0]

const IMPOSTORS: ReadonlyArray<readonly [what: string, fault: FaultSettings]> = [
  ['a certificate of another authority', { certificate: 'other-ca' }],
  ['a certificate for another name', { certificate: 'wrong-name' }],
  ['an expired certificate', { certificate: 'expired' }],
  ['a self-signed certificate', { certificate: 'self-signed' }],
  ['no TLS at all', { tls: 'absent' }],
]

/** Tests that the token leaves only over verified TLS to the right name. */
export function tls({ aurora, connect }: Suite): void {
  describe('TLS', () => {
    test.each(IMPOSTORS)('a server with %s: it gets no token', async (_what, fault) => {
      aurora().faults.set(fault)
      const attempt = connect().then((client) => client.query('SELECT 1'))
      await expect(attempt).rejects.toThrow()
      expect(aurora().log.connections).toBeGreaterThan(0)
      expect(aurora().log.tokensReceived).toBe(0)
    })

    test('a connection: encrypted with TLS 1.2 or newer', async () => {
      const client = await connect()
      await client.query('SELECT 1')
      const [secured] = [...aurora().log].filter((event) => event.type === 'tls')
      expect(secured).toMatchObject({ type: 'tls', protocol: expect.stringMatching(/^TLSv1\.[23]$/) })
    })
  })
}
