import { defineConfig } from 'tsdown'

/** One build for every published package, run in the folder of each. */
export default defineConfig({
  cwd: process.cwd(),
  entry: 'src/index.ts',
  format: ['esm', 'cjs'],
  target: 'node22',
  dts: true,
  sourcemap: true,
  clean: true,
})
