import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { CommandError } from '../options/command-error.ts'

/**
 * Replaces a file in one step: a reader sees the old text or the new one.
 *
 * @param mode - Permissions of the file. @defaultValue 0o600, for its owner alone
 * @throws {@link CommandError} when the file cannot be written: the old one is then unchanged
 */
export async function replaceFile(path: string, text: string, mode = 0o600): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(text)
      // Without it a crash of the machine can leave an empty file under the final name.
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    const { code } = cause as NodeJS.ErrnoException
    throw new CommandError(`${path} could not be written (${code}). ${REMEDIES[code ?? ''] ?? ''}`.trim(), {
      cause,
    })
  }
}

/** Removes a file if it is there. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true })
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'Free space on its disk.',
  EDQUOT: 'Free space in the quota of its owner.',
  ENOENT: 'Create its folder first.',
  ENOTDIR: 'Give a path whose folders are folders.',
  EISDIR: 'Give a path that is not a folder.',
  EACCES: 'Give a path in a folder that this user can write to.',
  EROFS: 'Give a path on a disk that can be written to.',
}
