import { createAuroraIam } from '@aurora-iam/core'
import { auroraIam } from '@aurora-iam/prisma'
import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { encodeErr } from '@aurora-iam/wire'
import { expect, test } from 'vitest'
import { impostor, takingToken } from '../chaos/hostile-scripts.ts'
import { HostileServer, startHostileServer } from '../chaos/hostile-server.ts'

const HOST = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'

const lengthEncoded = (bytes: Buffer | string) =>
  Buffer.concat([Buffer.from([bytes.length]), Buffer.from(bytes)])

/** Encodes an OK with the session state change `redirect_url`: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html */
function redirectTo(url: string): Buffer {
  const SERVER_SESSION_STATE_CHANGED = 0x4000
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0])
  header.writeUInt16LE(SERVER_SESSION_STATE_CHANGED | 2, 3)
  const variable = Buffer.concat([lengthEncoded('redirect_url'), lengthEncoded(url)])
  const changes = Buffer.concat([Buffer.from([0]), lengthEncoded(variable)])
  return Buffer.concat([header, lengthEncoded(''), lengthEncoded(changes)])
}

test('a server that redirects in its OK packet to another that collects tokens: the token stays with the first', async () => {
  await using server = await startHostileServer(HOST)
  await using thief = new HostileServer(server.certificates)
  await thief.listen()
  thief.script = impostor('MySQL', 'valid')
  server.script = takingToken(async (session) => {
    const withToken = session.inTls.length
    session.sendPacket(5, redirectTo(`mysql://app@127.0.0.1:${thief.port}/`))
    if (!(await session.hasSent(withToken + 1))) return
    session.sendPacket(1, encodeErr({ errno: 1105, sqlState: 'HY000', message: 'the first server answers' }))
    session.end()
  })
  const iam = createAuroraIam({
    credentials: STATIC,
    ca: server.certificates.ca,
    dial: { host: '127.0.0.1', port: server.port },
    rateLimit: false,
  })
  const { adapter, status } = auroraIam({ host: HOST, user: 'app', connectTimeoutMs: 2_000 }, iam)
  expect(await rejectionOf(adapter.connect())).toMatchObject({
    message: expect.stringContaining('the first server'),
  })
  expect(status()).toMatchObject({ connectionsOpened: 1, connectionsFailed: 0 })
  expect(thief.takeSessions()).toEqual([])
})
