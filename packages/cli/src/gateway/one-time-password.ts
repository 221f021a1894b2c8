import { randomBytes } from 'node:crypto'

/** Returns a password of 192 random bits, in characters without a meaning in shells, URLs and option files. */
export function newPassword(): string {
  // Some tools take a leading dash for an option.
  return `p${randomBytes(24).toString('base64url')}`
}
