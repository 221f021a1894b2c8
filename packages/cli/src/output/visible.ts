/** Returns `line` with control characters escaped: no line break or escape sequence of a server may reach a terminal. */
export function visible(line: string): string {
  return line.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}
