import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DeadlineHeap, type Expiring } from '../../src/queue/deadline-heap.ts'

test('any joins and leaves: the first is the earliest', () => {
  const steps = fc.array(fc.record({ deadline: fc.nat(50), leaver: fc.option(fc.nat()) }), {
    maxLength: 200,
    size: 'max',
  })
  fc.assert(
    fc.property(steps, (script) => {
      const heap = new DeadlineHeap<Expiring>()
      const members: Expiring[] = []
      for (const { deadline, leaver } of script) {
        const member = { deadline, heapIndex: -1 }
        heap.add(member)
        members.push(member)
        if (leaver !== null) {
          const [leaving] = members.splice(leaver % members.length, 1)
          heap.remove(leaving!)
        }
        const earliest = Math.min(...members.map((each) => each.deadline))
        expect(heap.first?.deadline ?? Number.POSITIVE_INFINITY).toBe(earliest)
      }
    }),
    { seed: 20, numRuns: 200 },
  )
})

test('joining and leaving a long queue: few deadlines are compared', () => {
  let looks = 0
  const heap = new DeadlineHeap<Expiring>()
  const members = Array.from({ length: 100_000 }, (_, index) => ({
    heapIndex: -1,
    get deadline() {
      looks += 1
      return index % 1000
    },
  }))
  for (const member of members) heap.add(member)
  for (const member of members) heap.remove(member)
  expect(heap.first).toBeUndefined()
  // Twice the depth of the heap, two looks each, on the way in and on the way out.
  expect(looks / members.length).toBeLessThan(8 * Math.log2(members.length))
})
