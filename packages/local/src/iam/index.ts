export { parseToken, type Token, type TokenProblem } from './parse-token.ts'
export { compileStatements, type PolicyDocument, type PolicyFinding } from './policy.ts'
