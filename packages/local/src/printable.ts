/** Characters that a terminal obeys or hides: controls (C0 and C1), direction overrides, line separators, half pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Returns text of a client or of a server with every character escaped that a terminal would obey or hide. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped)
}

/** Returns text of several lines as {@link printable} does one. */
export function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printable).join('\n')
}

/** Puts text into a sentence: in quotes, {@link printable}, shortened to `maxLength` characters. */
export function quote(text: string, maxLength = 80): string {
  const shortened = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  return printable(JSON.stringify(shortened))
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
