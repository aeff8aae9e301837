export type { Load } from './load.ts'
export { endure, type Figures } from './outage.ts'
export { crash, hang, replace } from './strikes.ts'
