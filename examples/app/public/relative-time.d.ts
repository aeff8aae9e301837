/** Says how far a time is from now (both in epoch milliseconds), as "2 minutes ago" or "in 7 days". */
export function formatRelativeTime(time: number, now?: number): string
