import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Writes the form in which packages are published to folders of their names in `out`, from the sources.
 *
 * @param types - whether types are written too, which takes longer. @defaultValue false
 */
export async function publish(out: string, packages: readonly string[], types = false): Promise<void> {
  const options = ['--out', out, ...(types ? [] : ['--no-types'])]
  await promisify(execFile)(process.execPath, [join(root, 'scripts/bundle.mjs'), ...options, ...packages])
}
