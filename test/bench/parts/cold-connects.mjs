import { ClientProcess } from '../core/client-process.mjs'
import { startServer } from '../core/server.mjs'
import { printTable } from '../core/table.mjs'

export const title = 'Cold connects: what they take of the credential provider'

const CONTENDERS = ['aurora-iam', 'recipe, one Signer', 'recipe, a Signer each', 'AWS wrapper']

export async function run({ quick, progress }) {
  const count = quick ? 100 : 500
  const { aurora, settings } = await startServer()
  try {
    const contenders = []
    for (const kind of CONTENDERS) {
      progress(kind)
      aurora.log.clear()
      const client = await ClientProcess.start('./peers/logins.mjs', { ...settings, kind }, { node: 22 })
      const { accepted, signings, fetches, wallMs, cpuMs, error } = await client.do('logIn', count)
      contenders.push({
        name: kind,
        versions: client.versions,
        accepted,
        signings,
        fetches,
        connections: aurora.log.connections,
        wallMs: Math.round(wallMs),
        cpuMs: Math.round(cpuMs),
        error,
      })
      client.stop()
    }
    return { count, contenders }
  } finally {
    await aurora.close()
  }
}

export function print({ count, contenders }) {
  printTable(
    `${count} cold connects at once`,
    ['', 'in', 'signings', 'credential fetches', 'wall ms', 'CPU ms'],
    contenders.map(({ name, accepted, signings, fetches, wallMs, cpuMs }) => [
      name,
      accepted,
      signings,
      fetches,
      wallMs,
      cpuMs,
    ]),
  )
}
