/** Subjects that go wrong as the environment's FAULT says: the reference store, and in it or beside it one fault. */
import { createServer } from 'node:net'
import type { Subject } from '@session-stores/conformance'
import { type Mutant, reference } from '../reference.ts'

const right = reference()

type Callback = () => void

/** The reference store with another `touch`, made of the right one. */
function touching(touch: (callback: Callback, right: (callback: Callback) => void) => void): Subject {
  const mutant: Mutant = (store) => ({
    touch: (id, session, callback) =>
      touch(callback as Callback, (done) => void store.touch(id, session, done)),
  })
  return reference(mutant)
}

let made = 0

const faults: Record<string, () => unknown> = {
  none: () => right,
  'make throws': () => ({
    make() {
      throw new Error('no database at this port')
    },
  }),
  'make hangs': () => ({ make: () => new Promise(() => {}) }),
  'make returns nothing': () => ({ make() {} }),
  'make returns a store': () => ({ make: () => ({ get() {} }) }),
  'no get': () => ({ make: () => ({ stores: [{ set() {}, destroy() {} }] }) }),
  'no make': () => ({ name: 'nothing' }),
  'calls back twice': () =>
    touching((callback, touch) =>
      touch(() => {
        callback()
        callback()
      }),
    ),
  'calls back at once, and has done nothing yet': () =>
    touching((callback, touch) => {
      callback()
      touch(() => {})
    }),
  'never calls back': () => touching(() => {}),
  throws: () =>
    touching(() => {
      throw new Error('touch is broken')
    }),
  'throws later': () =>
    touching((callback) =>
      setImmediate(() => {
        callback()
        throw new Error('touch is broken')
      }),
    ),
  'rejects later': () =>
    touching((callback, touch) => {
      touch(callback)
      Promise.reject(new Error('touch is broken'))
    }),
  'throws long after': () =>
    touching((callback, touch) =>
      touch(() => {
        callback()
        setTimeout(() => {
          throw new Error('touch is broken')
        }, 400)
      }),
    ),
  'throws once': () => ({
    ...right,
    make(options: object) {
      if (made++ === 0) {
        setImmediate(() => {
          throw new Error('once and never again')
        })
      }
      return right.make(options)
    },
  }),
  blocks: () =>
    touching(() => {
      for (;;);
    }),
  exits: () => touching(() => process.exit(3)),
  leaks: () => ({
    ...right,
    make(options: object) {
      setInterval(() => {}, 60_000)
      createServer().listen(0)
      return right.make(options)
    },
  }),
  'dispose throws': () => ({
    ...right,
    make: async (options: object) => ({
      ...(await right.make(options)),
      dispose() {
        throw new Error('it was closed already')
      },
    }),
  }),
  'dispose hangs': () => ({
    ...right,
    make: async (options: object) => ({
      ...(await right.make(options)),
      dispose: () => new Promise(() => {}),
    }),
  }),
  prints: () => {
    console.log('the store prints')
    return right
  },
  'opts out': () => ({ ...right, optOut: { 'touch/extends': 'it is documented so' } }),
  'opts out of nothing': () => ({ ...right, optOut: { 'touch/no-such-rule': 'why not' } }),
  'opts out for no reason': () => ({ ...right, optOut: { 'touch/extends': ' ' } }),
  'declares touch absent': () => ({ ...right, supports: { touch: false } }),
  'has no touch': () => ({ ...reference(() => ({ touch: undefined })), supports: { touch: false } }),
  'declares a touch that is missing': () => ({
    ...reference(() => ({ touch: undefined })),
    supports: { touch: true },
  }),
  'lacks a touch without a word': () => reference(() => ({ touch: undefined })),
}

const subject: unknown = faults[process.env.FAULT ?? 'none']!()
export default subject
