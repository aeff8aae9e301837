import { afterEach } from 'vitest'

const undo: (() => unknown)[] = []

/** Done after the test, the latest first. */
export function after(step: () => unknown): void {
  undo.push(step)
}

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})
