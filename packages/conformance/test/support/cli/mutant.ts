/**
 * The subject that the environment variable MUTANT names: the reference store, or a mutant of it.
 */
import { createServer } from 'node:net'
import type { Subject } from '@session-stores/conformance'
import { type Mutant, reference } from '../reference.ts'

const original = reference()

type Callback = () => void

/** Makes a mutant with another `touch`, which may call the original one. */
function replaceTouch(touch: (callback: Callback, original: (callback: Callback) => void) => void): Subject {
  const mutant: Mutant = (store) => ({
    touch: (id, session, callback) =>
      touch(callback as Callback, (done) => void store.touch(id, session, done)),
  })
  return reference(mutant)
}

let made = 0

const mutants: Record<string, () => unknown> = {
  none: () => original,
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
    replaceTouch((callback, touch) =>
      touch(() => {
        callback()
        callback()
      }),
    ),
  'calls back at once, and has done nothing yet': () =>
    replaceTouch((callback, touch) => {
      callback()
      touch(() => {})
    }),
  'never calls back': () => replaceTouch(() => {}),
  throws: () =>
    replaceTouch(() => {
      throw new Error('the mutant fails')
    }),
  'throws later': () =>
    replaceTouch((callback) =>
      setImmediate(() => {
        callback()
        throw new Error('the mutant fails')
      }),
    ),
  'rejects later': () =>
    replaceTouch((callback, touch) => {
      touch(callback)
      Promise.reject(new Error('the mutant fails'))
    }),
  'throws long after': () =>
    replaceTouch((callback, touch) =>
      touch(() => {
        callback()
        setTimeout(() => {
          throw new Error('the mutant fails')
        }, 400)
      }),
    ),
  'throws once': () => ({
    ...original,
    make(options: object) {
      // The first stores are those of a trial, which belongs to no rule.
      if (made++ === 1) {
        setImmediate(() => {
          throw new Error('once and never again')
        })
      }
      return original.make(options)
    },
  }),
  blocks: () =>
    replaceTouch(() => {
      for (;;);
    }),
  exits: () => replaceTouch(() => process.exit(3)),
  leaks: () => ({
    ...original,
    make(options: object) {
      setInterval(() => {}, 60_000)
      createServer().listen(0)
      return original.make(options)
    },
  }),
  'dispose throws': () => ({
    ...original,
    make: async (options: object) => ({
      ...(await original.make(options)),
      dispose() {
        throw new Error('it was closed already')
      },
    }),
  }),
  'dispose hangs': () => ({
    ...original,
    make: async (options: object) => ({
      ...(await original.make(options)),
      dispose: () => new Promise(() => {}),
    }),
  }),
  prints: () => {
    console.log('the store prints')
    return original
  },
  'an unknown field': () => ({ ...original, support: { touch: false } }),
  'opts out': () => ({ ...original, optOut: { 'touch/extends': 'it is documented so' } }),
  'opts out of nothing': () => ({ ...original, optOut: { 'touch/no-such-rule': 'why not' } }),
  'opts out for no reason': () => ({ ...original, optOut: { 'touch/extends': ' ' } }),
  'declares touch absent': () => ({ ...original, supports: { touch: false } }),
  'has no touch': () => ({ ...reference(() => ({ touch: undefined })), supports: { touch: false } }),
  'declares a touch that is missing': () => ({
    ...reference(() => ({ touch: undefined })),
    supports: { touch: true },
  }),
  'lacks a touch without a word': () => reference(() => ({ touch: undefined })),
}

const subject: unknown = mutants[process.env.MUTANT ?? 'none']!()
export default subject
