import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { UsageError } from './usage-error.ts'

/**
 * Creates a folder that only its owner may enter. Returns its absolute path: programs with another working directory
 * get it.
 *
 * @throws {@link UsageError} for a `TMPDIR` in which none can be created
 */
export async function createTemporaryFolder(): Promise<string> {
  const path = resolve(tmpdir(), 'aurora-iam-')
  try {
    return await mkdtemp(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(
      `TMPDIR: cannot create a folder in ${JSON.stringify(resolve(tmpdir()))} (${code}). Set TMPDIR to a folder that you can write to.`,
    )
  }
}
