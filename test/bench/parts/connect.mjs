import { contest } from '../core/contest.mjs'
import { startServer } from '../core/server.mjs'
import { printContest } from '../core/table.mjs'

export const title = 'New connections'

const modules = {
  mysql2: './contenders/mysql2.mjs',
  knex: './contenders/knex.mjs',
  typeorm: './contenders/typeorm.mjs',
  prisma: './contenders/prisma.mjs',
  mikro: './contenders/mikro-orm.mjs',
  wrapper: './peers/wrapper.mjs',
}

// A name, its module and kind, and what it is compared with. "again" is the bare contender against itself: what differs
// from 1 there is noise.
const CONTENDERS = [
  ['mysql2', 'mysql2', 'bare'],
  ['mysql2 again', 'mysql2', 'bare', 'mysql2'],
  ['recipe, one Signer', 'mysql2', 'recipe', 'mysql2'],
  ['aurora-iam', 'mysql2', 'limited', 'mysql2'],
  ['Knex', 'knex', 'bare'],
  ['Knex, aurora-iam', 'knex', 'ours', 'Knex'],
  ['TypeORM', 'typeorm', 'bare'],
  ['TypeORM, aurora-iam', 'typeorm', 'ours', 'TypeORM'],
  ['Prisma, stock', 'prisma', 'stock'],
  ['Prisma, aurora-iam', 'prisma', 'ours', 'Prisma, stock'],
]

// These ask for Node 22, so bare mysql2 is run on it once more.
const ON_NODE_22 = [
  ['mysql2, Node 22', 'mysql2', 'bare'],
  ['aurora-iam, Node 22', 'mysql2', 'limited', 'mysql2, Node 22'],
  ['AWS wrapper, Node 22', 'wrapper', 'iam', 'mysql2, Node 22'],
  ['MikroORM callback, Node 22', 'mikro', 'callback', 'mysql2, Node 22'],
]

const ON_NODE_24 = [
  ['mysql2, Node 24', 'mysql2', 'bare'],
  ['aurora-iam, Node 24', 'mysql2', 'limited', 'mysql2, Node 24'],
]

export async function run({ quick, progress }) {
  const { aurora, settings } = await startServer()
  try {
    const groups = [
      CONTENDERS.slice(0, 4),
      CONTENDERS.slice(4, 8),
      CONTENDERS.slice(8),
      ON_NODE_22,
      ON_NODE_24,
    ]
    const [one, together] = quick ? [10, 20] : [60, 60]
    const results = []
    for (const [index, group] of groups.entries()) {
      const node = index === 3 ? 22 : index === 4 ? 24 : undefined
      results.push(
        await contest({
          blocks: quick ? 3 : 20,
          contenders: group.map(([name, module, kind, floor]) => ({
            name,
            module: modules[module],
            settings: { ...settings, kind },
            floor,
            node,
          })),
          measures: [
            { name: 'one at a time', work: 'connectOneByOne', args: [one], per: one },
            { name: 'together', work: 'connectTogether', args: [together], per: together },
          ],
          progress: (block, blocks) => progress(`${group[0][0]}: block ${block} of ${blocks}`),
        }),
      )
    }
    return { measures: merge(results) }
  } finally {
    await aurora.close()
  }
}

function merge(results) {
  return results[0].map((measure, index) => ({
    ...measure,
    contenders: results.flatMap((group) => group[index].contenders),
  }))
}

export function print({ measures }) {
  printContest('New connections', measures)
}
