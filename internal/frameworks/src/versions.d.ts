/** Older versions are used as far as their types agree with those of the newest one. */
declare module 'express-4' {
  import express from 'express'
  export default express
}

declare module 'koa-2' {
  import Koa from 'koa'
  export default Koa
}
