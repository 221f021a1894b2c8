import { writeFile } from 'node:fs/promises'

/** Writes measurements where the chart and the READMEs take them from. */
export async function writeResults(name: string, results: unknown): Promise<void> {
  const file = new URL(`../../../test/bench/results/${name}`, import.meta.url)
  await writeFile(file, `${JSON.stringify(results, undefined, 2)}\n`)
}
