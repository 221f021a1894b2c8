import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { PacketChannel, type Session } from '@aurora-iam/wire'
import { expect, onTestFinished, test } from 'vitest'
import { sessionFindings } from '../../src/doctor/session-findings.ts'

const EOF_PACKET = Buffer.from([0xfe, 0, 0, 2, 0])

type Rows = readonly (readonly (string | null)[])[]

/** Returns a session with a server that has these answers, in the text protocol. It knows no other statement. */
async function sessionWith(answers: Readonly<Record<string, Rows>>): Promise<Session> {
  const server = createServer((socket) => void serve(socket, answers).catch(() => {}))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1')
  onTestFinished(() => {
    socket.destroy()
    server.close()
  })
  return { channel: new PacketChannel(socket), capabilities: 0 } as Session
}

async function serve(socket: Socket, answers: Readonly<Record<string, Rows>>): Promise<void> {
  const channel = new PacketChannel(socket)
  for (;;) {
    channel.sequence = 0
    const rows = answers[(await channel.read()).payload.subarray(1).toString()]
    if (rows === undefined) {
      channel.write(Buffer.from('\xff\x19\x05#42000no such function', 'latin1'))
      continue
    }
    const columns = rows[0]?.length ?? 0
    channel.write(Buffer.from([columns]))
    for (let column = 0; column < columns; column += 1) channel.write(Buffer.from('\x03def'))
    channel.write(EOF_PACKET)
    for (const row of rows) channel.write(Buffer.concat(row.map(encodeText)))
    channel.write(EOF_PACKET)
  }
}

const NULL = Buffer.from([0xfb])

function encodeText(text: string | null): Buffer {
  return text === null ? NULL : Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
}

const AURORA: Readonly<Record<string, Rows>> = {
  'SHOW CREATE USER CURRENT_USER()': [
    [
      "CREATE USER `app`@`%` IDENTIFIED WITH 'AWSAuthenticationPlugin' AS 'RDS' REQUIRE SSL PASSWORD EXPIRE DEFAULT",
    ],
  ],
  'SELECT @@version': [['8.0.39']],
  'SELECT AURORA_VERSION()': [['3.08.2']],
  'SELECT UNIX_TIMESTAMP(NOW(3))': [[String(Date.now() / 1000)]],
  'SELECT @@max_connections': [['1000']],
  "SHOW GLOBAL STATUS LIKE 'Threads_connected'": [['Threads_connected', '13']],
}

async function findingsOf(answers: Readonly<Record<string, Rows>>, fleet = {}) {
  const all = { processes: undefined, pool: undefined, instanceClass: undefined, ...fleet }
  const findings = []
  for await (const finding of sessionFindings(await sessionWith(answers), all)) findings.push(finding)
  return findings
}

test('Aurora as it should be: each check passes', async () => {
  expect(await findingsOf(AURORA, { processes: 98, pool: 10 })).toEqual([
    { check: 'user', verdict: 'ok', seen: 'AWSAuthenticationPlugin, and TLS is required' },
    { check: 'version', verdict: 'ok', seen: 'Aurora MySQL 3.08.2 (MySQL 8.0.39) has IAM logins' },
    { check: 'server clock', verdict: 'ok', seen: expect.stringMatching(/^\d s from the clock/) },
    { check: 'connections', verdict: 'ok', seen: 'max_connections 1000, 12 others open now, 980 planned' },
  ])
})

test.each<[string, Readonly<Record<string, Rows>>, string, RegExp]>([
  [
    'a user without REQUIRE SSL',
    {
      'SHOW CREATE USER CURRENT_USER()': [
        ["CREATE USER `app`@`%` IDENTIFIED WITH 'AWSAuthenticationPlugin' AS 'RDS' REQUIRE NONE"],
      ],
    },
    'user',
    /TLS is not required/,
  ],
  [
    'a version before IAM logins',
    { 'SELECT @@version': [['5.6.10']], 'SELECT AURORA_VERSION()': [['1.9']] },
    'version',
    /1\.9 .*is older than 1\.10/,
  ],
  [
    'a clock ten minutes behind',
    { 'SELECT UNIX_TIMESTAMP(NOW(3))': [[String(Date.now() / 1000 - 600)]] },
    'server clock',
    /60\d s ahead of that of the database/,
  ],
])('%s: FAIL, with a remedy', async (_what, answers, check, said) => {
  const found = (await findingsOf({ ...AURORA, ...answers })).find((finding) => finding.check === check)
  expect(found).toMatchObject({ verdict: 'fail', seen: expect.stringMatching(said) })
  expect(found?.remedies?.length).toBeGreaterThan(0)
})

test('twelve connections that are open now count: a fleet that would fit alone does not', async () => {
  const findings = await findingsOf(AURORA, { processes: 99, pool: 10 })
  expect(findings.at(-1)).toMatchObject({ check: 'connections', verdict: 'fail' })
})

test.each<[string, Readonly<Record<string, Rows>>, string, RegExp]>([
  [
    'NULL as the time',
    { 'SELECT UNIX_TIMESTAMP(NOW(3))': [[null]] },
    'server clock',
    /SELECT UNIX_TIMESTAMP\(NOW\(3\)\) is not a number/,
  ],
  [
    'no limit of connections',
    { 'SELECT @@max_connections': [[null]] },
    'connections',
    /@@max_connections is/,
  ],
  [
    'no status in the answer',
    { "SHOW GLOBAL STATUS LIKE 'Threads_connected'": [['Threads_connected', '']] },
    'connections',
    /Threads_connected' is not a number/,
  ],
  ['no result set', { 'SELECT @@max_connections': [] }, 'connections', /a form that is not read here/],
  [
    'a version that is empty',
    { 'SELECT @@version': [['']], 'SELECT AURORA_VERSION()': [['']] },
    'version',
    /no minimum/,
  ],
])('%s: unknown, and no fault', async (_what, answers, check, said) => {
  const findings = await findingsOf({ ...AURORA, ...answers }, { processes: 98, pool: 10 })
  const found = findings.find((finding) => finding.check === check)
  expect(found).toMatchObject({ verdict: 'unknown', seen: expect.stringMatching(said) })
})

test('a statement that the database refuses: the check could not be asked, and is no fault', async () => {
  const { 'SHOW CREATE USER CURRENT_USER()': _user, ...answers } = AURORA
  const [user] = await findingsOf(answers)
  expect(user).toEqual({
    check: 'user',
    verdict: 'unknown',
    seen: 'it could not be asked (1305: no such function)',
  })
})
