import { contest } from '../core/contest.mjs'
import { printContest } from '../core/table.mjs'

export const title = 'Steps of a login, without a network'

export async function run({ quick, progress }) {
  const measures = await contest({
    blocks: quick ? 10 : 40,
    contenders: [20, 22, 24].map((node) => ({
      name: `Node ${node}`,
      module: './contenders/micro.mjs',
      node: node === 20 ? undefined : node,
    })),
    measures: [
      { name: 'nothing but the await', work: 'nothing', args: [20_000], per: 20_000 },
      { name: 'Signer.getAuthToken of AWS', work: 'sign', args: [100], per: 100 },
      { name: 'token from the cache', work: 'token', args: [20_000], per: 20_000 },
      { name: 'permit, with its release', work: 'permit', args: [5_000], per: 5_000 },
      { name: 'login with token and permit', work: 'login', args: [2_000], per: 2_000 },
    ],
    progress: (block, blocks) => progress(`block ${block} of ${blocks}`),
  })
  return { measures }
}

export function print({ measures }) {
  printContest('Steps', measures)
}
