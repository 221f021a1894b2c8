/**
 * Phrases that a reader in a second language stumbles over, or that are private names for something that has a name in
 * the field. Each stands with what to write.
 *
 * @type {ReadonlyArray<readonly [phrase: RegExp, instead: string]>}
 */
export const PHRASES = [
  [/\bwho(so)?ever\b/i, 'name the actor: the caller, the pool, the server'],
  [
    /\b(some|no|every|any)body\b|\b(some|every|any)one\b|\bno one\b/i,
    'name the actor: the caller, the pool, the server',
  ],
  [/\banew\b/i, 'again; refreshes'],
  [/\bby force\b/i, 'forces a refresh'],
  [/\b(come|comes|came|coming|bring|brings|brought) about\b/i, 'is established; occurs'],
  [/\b(is|are|was|be|anything|nothing|something) to be had\b|\bcan be had\b/i, 'is available'],
  [/\bmend(s|ed|ing)?\b/i, 'fix'],
  [/\bfor ?ever\b/i, 'indefinitely; permanently'],
  [/\bof (its|their|our|your|his|one['’]s) own\b/i, 'separate'],
  [/\bby (itself|themselves|himself|oneself)\b/i, 'automatically'],
  [/\bat hand\b/i, 'cached'],
  [/\b(put|puts|putting) aside\b/i, 'marks offline'],
  [/\bin vain\b/i, 'without success'],
  [/\b(its|their|his|your|a|the next) turn\b/i, 'permit; waits in the queue'],
  [
    /\b(a|its|the|each|no) place under\b|\bgives? (back )?(its|the|a|their) places?( back)?\b/i,
    'permit; releases the permit',
  ],
  [/\bmint(s|ed|ing)?\b/i, 'signs; issues'],
  [/\b(lets?|letting|been let|is let) (him |it |them |us )?in\b/i, 'accepts'],
  [/\bturn(s|ed)? away\b/i, 'rejects'],
  [/\bhowever many\b/i, 'single flight: concurrent callers share one signing'],
  [/\bever longer\b/i, 'exponential backoff'],
  [/\b(call|calls|called|calling) (it |them )?off\b/i, 'aborts; cancels'],
  [/\b(give|gives|gave|given|giving) (it |them )?up\b/i, 'times out; aborts'],
  [/\b(fall|falls|fell|fallen|keep|keeps|kept|stay|stays) silent\b/i, 'is unresponsive'],
  [/\bin silence\b/i, 'silently; without an error'],
  [/\b(lend|lends|lent|lending)\b/i, 'check out; borrow'],
  [/\bat the door\b/i, 'login log'],
  [/\b(go|goes|went|going) on alone\b/i, 'degraded mode'],
  [/\bsteps? of the clock\b/i, 'clock jump'],
  [/\bnonsense\b/i, 'invalid response'],
  [/\bas (it is|they are)\b(?! (in|on|at|by|with|for|a|an|the)\b)/i, 'unchanged'],
  [/\b(stand|stands|stood|standing) on\b/i, 'is built on'],
  [/\bin good order\b/i, 'cleanly'],
  [/\bif need be\b/i, 'if necessary'],
  [/\bin the manner of\b/i, 'like'],
  [/\bof (no|any) use\b/i, 'unusable'],
  [/\b(is|are|was|be) well\b/i, 'is usable'],
  [/\bastray\b/i, 'leaks'],
  [/\bbefall(s|en)?\b/i, 'happens to'],
  [/\b(hitherto|hence|thereof|thereby|whereby|wherein|henceforth|herein)\b/i, 'a plain word'],
]

/** Words that TSDoc never begins with: they make the sentence a riddle until its end. */
export const FIRST_WORDS = /^(What|Whoever|Whether|Of|How|As)\b/

/** Most characters of a line of prose, and of a cell of a table. */
export const LONGEST = 120

/** The text without code, links, quotations and addresses. */
export function proseOf(text) {
  return text
    .replaceAll(/`[^`]*`/g, '`…`')
    .replaceAll(/\{@(link|inheritDoc|linkcode)[^}]*\}/g, '{…}')
    .replaceAll(/https?:\/\/\S+/g, 'https://…')
    .replaceAll(/“[^”]*”|"[^"\n]*"/g, '“…”')
}
