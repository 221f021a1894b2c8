import { randomBytes } from 'node:crypto'

/** Returns a password of 192 random bits, in letters that mean nothing to shells, URLs and option files. */
export function newPassword(): string {
  // A leading dash would be an option to some tools.
  return `p${randomBytes(24).toString('base64url')}`
}
