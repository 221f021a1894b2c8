import { ClientProcess } from '../core/client-process.mjs'
import { startServer } from '../core/server.mjs'
import { median } from '../core/statistics.mjs'
import { printTable } from '../core/table.mjs'

export const title = 'Memory of an open connection'

const CONTENDERS = [
  ['mysql2', 'bare'],
  ['mysql2 again', 'bare'],
  ['aurora-iam', 'limited'],
  ['aurora-iam, maxPreparedStatements: 100', 'limited', { maxPreparedStatements: 100 }],
]

export async function run({ quick, progress }) {
  const { aurora, settings } = await startServer()
  try {
    const contenders = []
    for (const [name, kind, driver] of CONTENDERS) {
      progress(name)
      const client = await ClientProcess.start(
        './contenders/memory.mjs',
        { ...settings, kind, driver },
        { execArgv: ['--expose-gc'] },
      )
      const samples = []
      for (let round = 0; round < (quick ? 1 : 5); round++)
        samples.push(await client.do('hold', quick ? 40 : 100))
      contenders.push({
        name,
        kilobytes: Math.round(median(samples.map(({ bytesEach }) => bytesEach)) / 1_024),
      })
      client.stop()
    }
    return { contenders }
  } finally {
    await aurora.close()
  }
}

export function print({ contenders }) {
  printTable(
    'Memory of an open connection',
    ['', 'kilobytes'],
    contenders.map(({ name, kilobytes }) => [name, kilobytes]),
  )
}
