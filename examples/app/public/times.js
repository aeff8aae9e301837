import { formatRelativeTime } from './relative-time.js'

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })

/** Keeps the times of the page up to date. Their tooltips show them in the zone of the browser. */
function showTimes() {
  for (const element of document.querySelectorAll('time')) {
    const time = Date.parse(element.dateTime)
    const text = formatRelativeTime(time)
    if (element.textContent !== text) element.textContent = text
    element.title = exact.format(time)
  }
}
showTimes()
setInterval(showTimes, 1000)
