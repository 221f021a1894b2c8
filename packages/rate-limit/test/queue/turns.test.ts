import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type TurnMember, Turns } from '../../src/queue/turns.ts'

const [one, other] = [{ pool: 'one' }, { pool: 'other' }]

function member(group: object, name = ''): TurnMember & { name: string } {
  return { group, name, position: undefined }
}

test('2 members behind 100 of another group: served second and fourth', () => {
  const turns = new Turns<TurnMember>()
  for (let count = 0; count < 100; count++) turns.add(member(one))
  for (let count = 0; count < 2; count++) turns.add(member(other))
  const served = Array.from({ length: 6 }, () => turns.shift()?.group)
  expect(served).toEqual([one, other, one, other, one, one])
  expect(turns.length).toBe(96)
})

test('any order of joining, leaving and turns: each group in order of arrival, no member lost', () => {
  const steps = fc.array(
    fc.record({ group: fc.nat(3), action: fc.constantFrom('add', 'add', 'shift', 'remove') }),
  )
  fc.assert(
    fc.property(steps, (script) => {
      const groups = [{}, {}, {}, {}]
      const turns = new Turns<TurnMember & { name: string }>()
      const waiting = groups.map(() => [] as TurnMember[])
      for (const [index, { group, action }] of script.entries()) {
        const queue = waiting[group]!
        if (action === 'add') {
          const added = member(groups[group]!, `${index}`)
          queue.push(added)
          turns.add(added)
        } else if (action === 'remove' && queue.length > 0) {
          turns.remove(queue.pop() as TurnMember & { name: string })
        } else if (action === 'shift') {
          const { first } = turns
          const served = turns.shift()
          expect(served).toBe(first)
          if (served !== undefined) expect(served).toBe(waiting[groups.indexOf(served.group)]!.shift())
        }
        expect(turns.length).toBe(waiting.flat().length)
        expect([...turns].length).toBe(turns.length)
      }
    }),
  )
})
