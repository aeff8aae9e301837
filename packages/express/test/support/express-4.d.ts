/** Express 4 is used as far as its types agree with those of Express 5. */
declare module 'express-4' {
  import express from 'express'
  export default express
}
