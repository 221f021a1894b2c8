import { instructionsOf } from '../core/instructions.mjs'
import { prepareStarts } from '../core/starts.mjs'
import { median, rounded } from '../core/statistics.mjs'
import { printTable } from '../core/table.mjs'

export const title = 'Instructions from the start of a process to its first row'

const RUNS = 3

export async function run({ progress }) {
  const { programs, close } = await prepareStarts()
  try {
    const samples = new Map(programs.map(({ name }) => [name, []]))
    for (let run = 1; run <= RUNS; run++) {
      for (const { name: floor } of programs.filter((program) => program.floor === undefined)) {
        progress(`${floor}, run ${run} of ${RUNS}`)
        const pair = programs.filter((program) => [program.name, program.floor].includes(floor))
        await Promise.all(
          pair.map(async ({ name, path, env }) =>
            samples.get(name).push((await instructionsOf([path], { env })) / 1e6),
          ),
        )
      }
    }
    return { contenders: programs.map(({ name, floor }) => standing(name, floor, samples)) }
  } finally {
    await close()
  }
}

function standing(name, floor, samples) {
  const millions = median(samples.get(name))
  const result = {
    name,
    millions: rounded(millions, 4),
    runs: samples.get(name).map((one) => rounded(one, 4)),
  }
  if (floor === undefined) return result
  return { ...result, floor, ratio: rounded(millions / median(samples.get(floor)), 4) }
}

export function print({ contenders }) {
  printTable(
    title,
    ['', 'millions', 'ratio'],
    contenders.map(({ name, millions, ratio = 1 }) => [name, millions, ratio.toFixed(3)]),
  )
}
