import { defineConfig } from 'tsdown'

/** One build for every published package; each is built in its own folder. */
export default defineConfig({
  entry: 'src/index.ts',
  format: ['esm', 'cjs'],
  target: 'node22',
  dts: true,
  sourcemap: true,
  clean: true,
})
