import { printable } from './printable.ts'

/** Returns `text` as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** Returns `text` as a string literal of JavaScript. */
export function codeString(text: string): string {
  return `'${printable(text.replace(/[\\']/g, '\\$&'))}'`
}
