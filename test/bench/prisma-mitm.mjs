// What the token is worth to a man in the middle: the stock adapter of Prisma, with the mariadb that it pins, and
// ours, against servers that cannot prove their name. A report of what was seen, not a test of Prisma's code;
// what ours does is asserted in test/prisma/man-in-the-middle.test.ts.
import { createAuroraIam } from '@aurora-iam/core'
import { startLocalAurora } from '@aurora-iam/local'
import { auroraIam } from '@aurora-iam/prisma'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'

const aurora = await startLocalAurora({ throttle: false })
const { host, port, hostname, ca, database } = aurora
const place = { host, port, user: 'app', database }
const { value: password } = await createAuroraIam(aurora.iam).token({ hostname, port, username: 'app' })
const impatient = { connectionLimit: 1, minimumIdle: 1, acquireTimeout: 300, initializationTimeout: 200 }

const CLIENTS = [
  ['stock, ssl: { ca }', () => new PrismaMariaDb({ ...place, ...impatient, password, ssl: { ca } })],
  ['stock, ssl: true', () => new PrismaMariaDb({ ...place, ...impatient, password, ssl: true })],
  ['stock, no ssl', () => new PrismaMariaDb({ ...place, ...impatient, password })],
  ['auroraIam', () => auroraIam(place, { ...aurora.iam, rateLimit: false }).adapter],
]
const SERVERS = [
  ['self-signed, greets as MySQL', { certificate: 'self-signed' }],
  ['self-signed, greets as MariaDB', { certificate: 'self-signed', greeting: 'mariadb' }],
  ['self-signed, MySQL, clear password', { certificate: 'self-signed', greeting: 'clear-password' }],
  [
    'self-signed, MariaDB, clear password',
    { certificate: 'self-signed', greeting: 'mariadb-clear-password' },
  ],
  ['another name, greets as MariaDB', { certificate: 'wrong-name', greeting: 'mariadb' }],
  ['no TLS, greets as MySQL', { tls: 'absent' }],
]

console.log(
  `\nTokens that a man in the middle received\n${row(
    '',
    CLIENTS.map(([name]) => name),
  )}`,
)
for (const [name, faults] of SERVERS) {
  const seen = []
  for (const [, client] of CLIENTS) {
    aurora.faults.set(faults)
    aurora.log.clear()
    // The stock adapter connects in any case; its pool goes on trying until it is ended.
    const adapter = await client()
      .connect()
      .catch(() => undefined)
    await adapter?.dispose()
    const tokens = [...aurora.log].filter(({ type }) => type === 'token')
    seen.push(
      tokens.length === 0 ? 'none' : tokens.every(({ encrypted }) => encrypted) ? 'TOKEN' : 'IN THE CLEAR',
    )
  }
  console.log(row(name, seen))
}
await aurora.close()

function row(name, cells) {
  return `  ${name.padEnd(39)}${cells.map((cell) => cell.padEnd(22)).join('')}`.trimEnd()
}
