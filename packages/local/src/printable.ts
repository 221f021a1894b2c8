/** Characters that control a terminal or are hidden: C0, C1, direction overrides, line separators, lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Returns the text of a client or a server with every character escaped that would control a terminal or be hidden. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped)
}

/** Returns several lines of text, each as {@link printable} returns it. */
export function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printable).join('\n')
}

/** Returns text for a sentence: in quotes, {@link printable}, and shortened to `maxLength` characters. */
export function quote(text: string, maxLength = 80): string {
  const shortened = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  return printable(JSON.stringify(shortened))
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
