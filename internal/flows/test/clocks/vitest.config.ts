import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  test: { include: ['under-vitest.ts'] },
  cacheDir: '../../node_modules/.vite',
})
export default config
