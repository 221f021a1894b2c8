import { ClientProcess } from '../core/client-process.mjs'
import { median, rounded } from '../core/statistics.mjs'
import { printTable } from '../core/table.mjs'

export const title = 'Growth of the cost with waiters, users and endpoints'

const MEASURES = [
  ['a waiter that joins and leaves', 'waiters', [1_000, 10_000, 100_000]],
  ['a token that is signed for a new user', 'signings', [100, 1_000, 5_000]],
  ['a login at one of many endpoints', 'endpoints', [1, 10, 1_000]],
]

export async function run({ quick, progress }) {
  const client = await ClientProcess.start('./contenders/growth.mjs', {}, { execArgv: ['--expose-gc'] })
  try {
    const measures = []
    for (const [name, work, counts] of MEASURES) {
      progress(name)
      const sizes = []
      // The first one warms up.
      await client.do(work, counts[0])
      for (const count of counts) {
        const samples = []
        for (let round = 0; round < (quick ? 1 : 5); round++) samples.push(await client.do(work, count))
        const eachUs = samples.map((sample) => sample.eachUs ?? (sample.cpuMs * 1_000) / count)
        const bytes = samples.map(({ heapBytes }) => (heapBytes ?? Number.NaN) / count)
        sizes.push({
          count,
          eachUs: rounded(median(eachUs)),
          bytesEach: Math.round(median(bytes)) || undefined,
        })
      }
      measures.push({ name, sizes })
    }
    return { measures }
  } finally {
    client.stop()
  }
}

export function print({ measures }) {
  for (const { name, sizes } of measures) {
    printTable(
      `Growth: ${name}`,
      ['count', 'CPU µs each', 'ratio', 'heap bytes each'],
      sizes.map(({ count, eachUs, bytesEach }) => [
        count,
        eachUs,
        (eachUs / sizes[0].eachUs).toFixed(2),
        bytesEach ?? '-',
      ]),
    )
  }
}
