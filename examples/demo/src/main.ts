// The main job in one sitting: an app on IAM tokens, against a Local Aurora with a real database behind it; then the
// same load on a plain mysql2 pool with a token that was fetched once.
import { styleText } from 'node:util'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { createAuroraIam, withAuroraIam } from '@aurora-iam/mysql2'
import mysql from 'mysql2/promise'
import { type ActResult, CONNECTIONS, playAct, THROTTLE } from './act.ts'
import { openAccounts, totalBalance } from './bank.ts'
import { heading, print } from './chart.ts'

/** One second here is two minutes there, so that tokens age while you watch. */
const CLOCK_SPEED = 120
/** Lifetime of the demo's AWS credentials, which is also the lifetime of a token signed with them. */
const CREDENTIALS_LIFE_MS = 6 * 60_000

async function main(signal: AbortSignal): Promise<void> {
  const startedAt = Date.now()
  const clock = () => startedAt + (Date.now() - startedAt) * CLOCK_SPEED
  print('Starting a private MariaDB, and a Local Aurora in front of it …')
  await using aurora = await startLocalAurora({ throttle: THROTTLE, clock })
  signal.throwIfAborted()
  print(`Local Aurora is ${aurora.hostname}, listening on ${aurora.host}:${aurora.port}.`)
  print(`It admits ${THROTTLE} logins a second, and its clock runs ${CLOCK_SPEED} times as fast as yours.`)

  const managed = await onAuroraIam(aurora, clock, signal)
  const plain = await onOneToken(aurora, signal)
  summarize(managed, plain)
  if (managed.act.refused > 0 || managed.totalBefore !== managed.totalAfter) {
    throw new Error('The run on aurora-iam was not clean: see the figures above.')
  }
}

async function onAuroraIam(aurora: LocalAurora, clock: () => number, signal: AbortSignal) {
  heading(`1. A pool of ${CONNECTIONS} connections with withAuroraIam: ${CONNECTIONS} transfers at a time`)
  const credentials = async () => ({
    ...aurora.credentials,
    expiration: new Date(clock() + CREDENTIALS_LIFE_MS),
  })
  const iam = createAuroraIam({ ...aurora.iam, credentials, rateLimit: THROTTLE })
  const pool = mysql.createPool(
    withAuroraIam(
      { host: aurora.host, port: aurora.port, user: 'app', database: 'app', connectionLimit: CONNECTIONS },
      iam,
    ),
  )
  try {
    await openAccounts(pool)
    const totalBefore = await totalBalance(pool)
    const act = await playAct(aurora, pool, { seconds: 18, failoverEvery: 6, signal })
    return { act, totalBefore, totalAfter: await totalBalance(pool), signed: iam.stats().tokensSigned }
  } finally {
    iam.close()
    pool.end().catch(() => {})
  }
}

async function onOneToken(aurora: LocalAurora, signal: AbortSignal): Promise<ActResult> {
  heading('2. The same load on a plain mysql2 pool, with a token fetched once')
  const { value: password } = await createAuroraIam(aurora.iam).token({
    hostname: aurora.hostname,
    port: aurora.port,
    username: 'app',
  })
  const pool = mysql.createPool({
    host: aurora.host,
    port: aurora.port,
    user: 'app',
    database: 'app',
    password,
    connectionLimit: CONNECTIONS,
    enableCleartextPlugin: true,
    ssl: { ca: aurora.ca },
  })
  try {
    const fetchedAt = aurora.now()
    const atFailover = () => {
      aurora.setThrottle(false)
      return `, and no throttle now; but the token is ${Math.round((aurora.now() - fetchedAt) / 60_000)} minutes old`
    }
    return await playAct(aurora, pool, { seconds: 12, failoverEvery: 9, signal, atFailover })
  } finally {
    pool.end().catch(() => {})
  }
}

function summarize(managed: Awaited<ReturnType<typeof onAuroraIam>>, plain: ActResult): void {
  const { act, totalBefore, totalAfter, signed } = managed
  const reasons = [...plain.reasons].map(([reason, count]) => `${count} ${reason}`).join(', ')
  heading('What happened')
  const row = (what: string, ours: string, theirs: string) =>
    print(`  ${what.padEnd(28)}${ours.padEnd(24)}${theirs}`)
  row('', 'withAuroraIam', 'plain mysql2, one token')
  row('transfers done', String(act.transfers), String(plain.transfers))
  row('logins accepted', String(act.logins), String(plain.logins))
  row(
    'logins refused',
    good(act.refused === 0, String(act.refused)),
    `${plain.refused}${reasons && ` (${reasons})`}`,
  )
  row('tokens signed', `${signed}, ${act.tokens} of them used up`, '1')
  row('money before and after', good(totalBefore === totalAfter, `${totalBefore} and ${totalAfter}`), '')
  print('\nWhere to go next')
  print('  README.md                  the lines to add for your driver')
  print('  packages/mysql2/README.md  options, errors, questions')
  print('  packages/local/README.md   Local Aurora in your own tests')
}

function good(isGood: boolean, text: string): string {
  return isGood ? text : `${styleText('red', text)} ✗`
}

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
process.once('SIGTERM', () => stop.abort())
try {
  await main(stop.signal)
} catch (error) {
  if (!stop.signal.aborted) throw error
  print('\nStopped: nothing is left running.')
  process.exitCode = 130
}
