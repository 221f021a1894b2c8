import { readFile, writeFile } from 'node:fs/promises'

/**
 * Writes measurements where the chart and the READMEs take them from. One that was measured before under the same
 * `keys` is replaced, so that each can be measured alone.
 */
export async function writeResults<T extends object>(
  name: string,
  results: readonly T[],
  keys: readonly (keyof T)[],
): Promise<void> {
  const file = new URL(`../../../test/bench/results/${name}`, import.meta.url)
  const keyOf = (result: T) => keys.map((key) => `${result[key]}`.padStart(9)).join()
  const written = await readFile(file, 'utf8').catch(() => '[]')
  const merged = new Map<string, T>()
  for (const result of [...JSON.parse(written), ...results]) merged.set(keyOf(result), result)
  const sorted = [...merged].sort(([one], [other]) => one.localeCompare(other)).map(([, result]) => result)
  await writeFile(file, `${JSON.stringify(sorted, undefined, 2)}\n`)
}

/** Names of the fields in which cold starts differ. */
export const coldStartKeys = ['limit', 'processes', 'overMs', 'loginsEach'] as const
