export const HOST = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
export const READER = HOST.replace('cluster-', 'cluster-ro-')

/** One row of a table of bad input: what is refused, by which code and under which name. */
export type Refusal = readonly [what: string, options: object, iam: object, code: string, option: string]
