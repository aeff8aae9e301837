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
  outputOptions: {
    // The maps name the lines of the repository. Docstrings are in the declarations.
    sourcemapExcludeSources: true,
    comments: { legal: true, annotation: true, jsdoc: false },
  },
})
