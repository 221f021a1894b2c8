import { ClientProcess } from './client-process.mjs'
import { median, rounded, summary } from './statistics.mjs'

/**
 * Lets contenders do the same work against the same server. Each has its own process. They take turns in every block,
 * and each block begins with another one. The first block warms up and is not counted.
 *
 * @param contenders - `{ name, module, settings, node, floor }`; `floor` names the one that it is compared with
 * @param measures - `{ name, work, args, per }`; `per` is how many operations a block has
 */
export async function contest({ contenders, measures, blocks, progress }) {
  const clients = new Map()
  try {
    for (const { name, module, settings, ...options } of contenders) {
      clients.set(
        name,
        await ClientProcess.start(module, settings, { ...options, execArgv: ['--expose-gc'] }),
      )
    }
    const samples = measures.map(() => new Map(contenders.map(({ name }) => [name, []])))
    for (let block = -1; block < blocks; block++) {
      for (const [index, { work, args = [] }] of measures.entries()) {
        for (const { name } of turn(contenders, block + 1)) {
          const result = await clients.get(name).do(work, ...args)
          if (block >= 0) samples[index].get(name).push(result)
        }
      }
      progress?.(block + 1, blocks)
    }
    return measures.map((measure, index) => ({
      name: measure.name,
      per: measure.per,
      contenders: contenders.map(({ name, floor }) =>
        standing({ name, floor, measure, samples: samples[index], versions: clients.get(name).versions }),
      ),
    }))
  } finally {
    for (const client of clients.values()) client.stop()
  }
}

function turn(contenders, block) {
  const by = block % contenders.length
  const turned = [...contenders.slice(by), ...contenders.slice(0, by)]
  // Every other block in reverse order: no contender always follows the same one.
  return block % 2 ? turned.reverse() : turned
}

function standing({ name, floor, measure, samples, versions }) {
  const own = samples.get(name)
  const result = {
    name,
    versions,
    wallUs: each(own, 'wallMs', measure.per),
    cpuUs: each(own, 'cpuMs', measure.per),
  }
  if (floor === undefined) return result
  const base = samples.get(floor)
  return {
    ...result,
    floor,
    // Block by block, so that a moment in which the machine was busy meets both.
    wallRatio: summary(own.map(({ wallMs }, block) => wallMs / base[block].wallMs)),
    cpuRatio: summary(own.map(({ cpuMs }, block) => cpuMs / base[block].cpuMs)),
  }
}

/** Returns the median microseconds of one operation. */
function each(samples, field, per) {
  return rounded((median(samples.map((sample) => sample[field])) * 1_000) / per, 4)
}
