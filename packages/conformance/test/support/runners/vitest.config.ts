import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  test: { include: ['vitest.ts'] },
  cacheDir: '../../../node_modules/.vite',
})
export default config
