import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { LocalAuroraError } from './errors.ts'
import { quote } from './printable.ts'

/**
 * Creates a folder that only its owner may enter, and returns its absolute path.
 *
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION` for a `TMPDIR` in which none can be created
 */
export async function createTemporaryFolder(): Promise<string> {
  const parent = resolve(tmpdir())
  try {
    return await mkdtemp(resolve(parent, 'aurora-iam-'))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const message = `TMPDIR: cannot create a folder in ${quote(parent)} (${code}). Set TMPDIR to a folder that you can write to`
    throw new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', message, { option: 'TMPDIR', cause })
  }
}
