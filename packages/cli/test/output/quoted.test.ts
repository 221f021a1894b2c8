import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { codeString, shellWord } from '../../src/output/quoted.ts'

const TEXTS = [
  'app',
  "o'brien",
  '"quoted"',
  'back\\slash',
  "\\' + evil() + '",
  `\`touch x\` $(touch y) \${z}`,
  'a blank; and * more',
  '/home/me/a folder/ca.pem',
  '~',
  '',
]

test.each(TEXTS)('%j as a word of a shell: the shell reads the same text', (text) => {
  expect(execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`]).toString()).toBe(text)
})

test.each([...TEXTS, 'hidden \u202e text', 'two\nlines', '\u2028'])(
  '%j as a string of JavaScript: one visible line that evaluates to the same text',
  (text) => {
    const code = codeString(text)
    expect(new Function(`return ${code}`)()).toBe(text)
    expect(code).not.toMatch(/[\p{C}\p{Zl}]/u)
  },
)
