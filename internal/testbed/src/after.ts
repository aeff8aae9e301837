import { afterEach } from 'vitest'

const undo: (() => unknown)[] = []

/** Registers a step that runs after the current test. The last registered step runs first. */
export function after(step: () => unknown): void {
  undo.push(step)
}

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})
