import { setTimeout as sleep } from 'node:timers/promises'
import { ClientProcess } from '../core/client-process.mjs'
import { startServer } from '../core/server.mjs'
import { printTable } from '../core/table.mjs'

export const title = 'Operations lost while tokens age, credentials rotate and logins are refused'

const CONTENDERS = ['aurora-iam', 'recipe, one Signer', 'AWS wrapper', 'one token as password']
const EVERY_MS = 50
const MINUTE = 60_000

export async function run({ quick, progress }) {
  const windowMs = quick ? 800 : 5_000
  const contenders = []
  for (const kind of CONTENDERS) {
    progress(kind)
    // Each has its own server: the clock and the credentials of one are moved.
    const { aurora, settings } = await startServer()
    const client = await ClientProcess.start('./peers/logins.mjs', { ...settings, kind }, { node: 22 })
    try {
      await client.do('start', EVERY_MS)
      await sleep(quick ? 700 : 2_000)
      await client.do('look')

      await client.do('age', 16 * MINUTE)
      aurora.setClock(() => Date.now() + 16 * MINUTE)
      await sleep(windowMs)
      const aged = await client.do('look')

      // The provider returns the new ones at once, and the old access key is deleted.
      const { accessKeyId } = aurora.credentials
      const credentials = {
        accessKeyId: 'ASIAROTATED000000000',
        secretAccessKey: 'rotated',
        sessionToken: 'x'.repeat(800),
      }
      aurora.principals.add(credentials)
      await client.do('rotate', credentials)
      aurora.principals.remove(accessKeyId)
      await sleep(windowMs)
      const rotated = await client.do('look')

      aurora.log.clear()
      aurora.faults.set({ refuse: 'NotAuthorized' })
      await sleep(windowMs)
      aurora.faults.clear()
      const refused = await client.do('look')
      const connections = aurora.log.connections
      await sleep(windowMs)
      const after = await client.do('look')
      contenders.push({
        name: kind,
        versions: client.versions,
        aged: aged.lost,
        rotated: rotated.lost,
        refused: refused.lost,
        connectionsPerOperation: Number((connections / (refused.lost + refused.done)).toFixed(2)),
        after: after.lost,
        operations: Math.round(windowMs / EVERY_MS),
      })
    } finally {
      client.stop()
      await aurora.close()
    }
  }
  return { windowMs, contenders }
}

export function print({ windowMs, contenders }) {
  printTable(
    `Operations lost, of ${contenders[0].operations} in each ${windowMs / 1_000} s`,
    ['', '16 minutes later', 'credentials rotated', 'all refused', 'connections each', 'after it'],
    contenders.map(({ name, aged, rotated, refused, connectionsPerOperation, after }) => [
      name,
      aged,
      rotated,
      refused,
      connectionsPerOperation,
      after,
    ]),
  )
}
