/** Returns `line` with control characters escaped, so that no escape sequence of a server reaches a terminal. */
export function visible(line: string): string {
  return line.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}
