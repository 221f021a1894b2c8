import { rootCertificates } from 'node:tls'
import { createAuroraIam } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { describe, expect, test } from 'vitest'
import { CLEAR_PASSWORD_WANTED, DENIED, switchTo, trusted } from '../chaos/hostile-scripts.ts'
import type { Script } from '../chaos/hostile-server.ts'
import { scriptedServer, VERSIONS } from './support.ts'

const { server, address, iam: settings } = await scriptedServer()

const deniedAfter = (plugin: string): Script =>
  trusted(async (session) => {
    const sent = session.inTls.length
    session.sendPacket(3, switchTo(plugin))
    if (await session.hasSent(sent + 1)) session.sendPacket(5, DENIED)
  })

const deniedAtOnce: Script = trusted((session) => session.sendPacket(3, DENIED))

describe.each(VERSIONS)('a user of $name who is not an IAM user', ({ name, callbacks }) => {
  const answers: Array<readonly [when: string, script: Script]> = [
    ['after mysql_native_password', deniedAfter('mysql_native_password')],
    ['after caching_sha2_password', deniedAfter('caching_sha2_password')],
  ]
  // Before 3.22 mysql2 publishes no error of a handshake in TLS, and without a plugin nothing else shows it.
  if (name !== 'mysql2 3.15.3') answers.push(['at once', deniedAtOnce])
  test.each(answers)(
    '1045 %s: the cause reports that the server did not ask for a token',
    async (_when, script) => {
      server.script = script
      const iam = createAuroraIam({ ...settings, rateLimit: false })
      const options = withAuroraIam(address, iam)
      // With callbacks every version hands on the server's own error.
      const pool = callbacks.createPool(options)
      const error = await new Promise((resolve) => pool.query('SELECT 1', resolve))
      await pool.promise().end()
      expect(error).toMatchObject({
        code: 'ER_ACCESS_DENIED_ERROR',
        cause: {
          code: 'ERR_AURORA_IAM_ACCESS_DENIED',
          message: expect.stringContaining('did not ask for a token'),
        },
      })
      expect(iam.stats()).toMatchObject({
        connectionsFailed: 1,
        lastError: { code: 'ER_ACCESS_DENIED_ERROR' },
      })
    },
  )
})

describe.each(VERSIONS)('$name with options that lost their TLS on the way', ({ promises }) => {
  const askingInTls: Script = trusted((session) => session.sendPacket(3, CLEAR_PASSWORD_WANTED))

  const connect = async (script: Script, change: (ssl: object) => unknown, ca = settings.ca) => {
    server.script = script
    const iam = createAuroraIam({ ...settings, ca, rateLimit: false })
    const options = withAuroraIam({ ...address, connectTimeout: 2_000 }, iam)
    let reads = 0
    // The option is there when the socket is opened, and gone when mysql2 decides about TLS.
    const { stream } = options
    const lossy = {
      ...options,
      stream: (settings: { config: { ssl: unknown } }) => {
        const socket = stream(settings)
        reads++
        setTimeout(() => {
          settings.config.ssl = change(settings.config.ssl as object)
        }, 0)
        return socket
      },
    }
    const error = await rejectionOf(promises.createConnection(lossy as never))
    expect(reads).toBe(1)
    return error
  }

  test.each([
    ['the name', { verifyIdentity: false }, undefined],
    ['the chain', { rejectUnauthorized: false }, rootCertificates[0]],
  ])('%s is not verified any more: the token is not sent', async (_what, lost, ca) => {
    server.takeSessions()
    const error = await connect(askingInTls, (ssl) => ({ ...ssl, ...lost }), ca)
    expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_TLS_REQUIRED' })
    const sessions = server.takeSessions()
    expect(sessions).toHaveLength(1)
    for (const session of sessions) {
      expect(session.inTls.toString('latin1')).not.toContain('X-Amz-Signature')
    }
  })
})
