import { describe, expect, test } from 'vitest'

const folder = new URL('../../scripts/language/', import.meta.url)
const { checkMarkdown } = await import(new URL('markdown.mjs', folder).href)
const { checkSource } = await import(new URL('source.mjs', folder).href)

const source = (text: string): string[] =>
  checkSource('example.ts', text).map(
    ({ line, message }: { line: number; message: string }) => `${line} ${message}`,
  )
const markdown = (text: string): string[] =>
  checkMarkdown(text).map(({ line, message }: { line: number; message: string }) => `${line} ${message}`)

describe('the language check', () => {
  test('an idiom in a comment, over two of its lines: found', () => {
    expect(source('// It is kept for\n// ever.\nconst x = 1')).toEqual([
      expect.stringMatching(/^1 "for ever"/),
    ])
  })

  test('an idiom in a message or in a template: found', () => {
    expect(source("throw new Error('It fails for ever.')")).toHaveLength(1)
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source of a template
    expect(source('throw new Error(`It ${fact} is mended ${now}`)')).toHaveLength(1)
  })

  test('an idiom as an identifier, in code or in a quotation: not found', () => {
    expect(source('const anew = 1 // `anew`, "anew" and “anew”')).toEqual([])
    expect(markdown('`anew` and “anew”\n```ts\nanew()\n```')).toEqual([])
  })

  test('TSDoc of a function that begins with a noun: found', () => {
    const doc = (words: string) => source(`/** ${words} */\nexport function f(): void {}`)
    expect(doc('The thing.')).toHaveLength(1)
    expect(doc('What it returns.')).toHaveLength(1)
    expect(doc('Returns the thing.')).toEqual([])
    expect(source('interface I {\n  /** The thing. */\n  f(): void\n}')).toHaveLength(1)
    expect(source('/** The thing. */\nexport const f = (): void => {}')).toHaveLength(1)
    expect(source('/** The thing. */\nexport class Thing {}')).toEqual([])
  })

  test('a line or a table cell of more than 120 characters: found, the target of a link not counted', () => {
    const long = 'word '.repeat(25)
    expect(markdown(long)).toHaveLength(1)
    expect(markdown(`| a | ${long} |`)).toHaveLength(1)
    expect(markdown(`| ${'word '.repeat(15)} | ${'word '.repeat(15)} |`)).toEqual([])
    expect(markdown(`[a](https://example.com/${'x'.repeat(120)})`)).toEqual([])
  })

  test('a line of a comment with more than 120 characters: found, an address not counted', () => {
    const long = 'word '.repeat(25)
    expect(source(`// ${long}.\nconst x = 1`)).toEqual(['1 a comment of 129 characters, more than 120'])
    expect(source(`/**\n * Short.\n * ${long}.\n */\nclass X {}`)).toHaveLength(1)
    expect(source(`const x = 1 // ${long}.`)).toHaveLength(1)
    expect(source(`const x = '${long}' // Short.\nconst y = '${long}'`)).toHaveLength(1)
    expect(source(`// Source: https://example.com/${'x'.repeat(120)}`)).toEqual([])
    expect(source(`// biome-ignore lint/x: ${long}.\nconst x = 1`)).toEqual([])
  })

  test('a test title without a colon, also of test.each: found', () => {
    expect(source("test('it works', () => {})")).toEqual([expect.stringMatching(/^1 a test title/)])
    expect(source("test.each([1])('it works with %i', () => {})")).toHaveLength(1)
    expect(source("test('a cached token: no signing', () => {})")).toEqual([])
    expect(source("describe('a login', () => {})")).toEqual([])
  })
})
