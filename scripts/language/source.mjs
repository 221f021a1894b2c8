import ts from 'typescript-6'
import { FIRST_WORDS, LONGEST, PHRASES, proseOf } from './words.mjs'

/** A present-tense verb, in the third person. */
const VERB = /^(Never |Also )?[A-Z][a-z]+(-[a-z]+)?s\b/
const NO_VERB = /^(This|Its|Is|Has|Was|Does|As|Always|Plus|Thus|Less|Yes|Others|Options|Counts of)\b/

const DIRECTIVE = /\/[/*] (biome-ignore|@ts-|@vitest-)/

/**
 * Checks the comments, strings and TSDoc of a TypeScript or JavaScript file.
 *
 * @returns {Array<{ line: number, message: string }>}
 */
export function checkSource(path, text) {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found = []
  const report = (position, message) =>
    found.push({ line: file.getLineAndCharacterOfPosition(position).line + 1, message })
  const checkProse = (position, prose) => {
    for (const [phrase, instead] of PHRASES) {
      const match = phrase.exec(proseOf(prose))
      if (match) report(position, `"${match[0]}": write ${instead}`)
    }
  }

  const comments = new Map()
  const visit = (node) => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      if (node.text.includes(' ')) checkProse(node.getStart(file), node.text)
    }
    const title = testTitle(node)
    if (title && !/: \S/.test(title.getText(file))) {
      report(title.getStart(file), `a test title has the form "condition: result": ${title.getText(file)}`)
    }
    for (const { pos, end } of commentsAround(text, node)) comments.set(pos, end)
    for (const doc of docsOf(node)) checkDoc(node, doc, file, report)
    for (const child of node.getChildren(file)) if (!ts.isJSDoc(child)) visit(child)
  }
  visit(file)
  const lines = text.split('\n')
  for (const [start, end] of comments) {
    const [first, last] = [start, end].map((position) => file.getLineAndCharacterOfPosition(position).line)
    checkLength(lines.slice(first, last + 1), (line, message) =>
      found.push({ line: first + line + 1, message }),
    )
  }
  for (const [start, end] of joined(comments, text)) {
    checkProse(start, text.slice(start, end).replaceAll(/\n\s*(\*|\/\/) ?/g, ' '))
  }
  return found.sort((one, other) => one.line - other.line)
}

/** Checks the length of the lines of a comment. A directive of a tool is one line, whatever its length. */
function checkLength(lines, report) {
  for (const [index, line] of lines.entries()) {
    // An address cannot be broken over lines.
    const { length } = line.trimEnd().replaceAll(/https?:\/\/[^\s)}>]+/g, '')
    if (length > LONGEST && !DIRECTIVE.test(line))
      report(index, `a comment of ${length} characters, more than ${LONGEST}`)
  }
}

/** Joins the comments that follow each other without code between them: a sentence goes on from one to the next. */
function joined(comments, text) {
  const all = []
  for (const [start, end] of [...comments].sort(([one], [other]) => one - other)) {
    const last = all.at(-1)
    if (last !== undefined && text.slice(last[1], start).trim() === '') last[1] = end
    else all.push([start, end])
  }
  return all
}

function* commentsAround(text, node) {
  if (node.getChildCount() > 0) return
  yield* ts.getLeadingCommentRanges(text, node.pos) ?? []
  yield* ts.getTrailingCommentRanges(text, node.end) ?? []
}

/** Returns the title of a call of `test` or `it`, also of `test.each(…)(…)`; undefined for another node. */
function testTitle(node) {
  if (!ts.isCallExpression(node) || node.arguments.length < 2) return undefined
  const [title] = node.arguments
  const isText = ts.isStringLiteralLike(title) || ts.isTemplateExpression(title)
  return isText && /^(it|test)$/.test(rootOf(node.expression)) ? title : undefined
}

/** Returns the first name of `test.each(…)`, `test.skipIf(…)` and the like. */
function rootOf(expression) {
  if (ts.isCallExpression(expression) || ts.isPropertyAccessExpression(expression))
    return rootOf(expression.expression)
  if (ts.isTaggedTemplateExpression(expression)) return rootOf(expression.tag)
  return ts.isIdentifier(expression) ? expression.text : ''
}

function docsOf(node) {
  return (node.jsDoc ?? []).slice(-1)
}

function checkDoc(node, doc, file, report) {
  const words = (ts.getTextOfJSDocComment(doc.comment) ?? '').trim()
  if (words === '') return
  if (FIRST_WORDS.test(words)) report(doc.getStart(file), `TSDoc begins with "${words.split(' ')[0]}"`)
  else if (isFunction(node) && !words.startsWith('https:') && (!VERB.test(words) || NO_VERB.test(words))) {
    report(doc.getStart(file), `TSDoc of a function begins with a verb, not with "${words.slice(0, 30)}"`)
  }
}

function isFunction(node) {
  if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isMethodSignature(node))
    return true
  if (!ts.isVariableStatement(node)) return false
  const { initializer } = node.declarationList.declarations[0]
  return (
    initializer !== undefined && (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer))
  )
}
