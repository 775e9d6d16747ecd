/** By when a peer must have done what. Times in milliseconds; undefined for what is not awaited. */
export class Deadlines {
  /** A client-type must be open. */
  openBy: number | undefined;
  /** A message must have come (RFC 2748 3.9). */
  heardBy: number | undefined;
  /** The message that has begun must be whole. */
  wholeBy: number | undefined;
  /** The peer must have taken something of what it was sent. */
  takenBy: number | undefined;

  /** While we do not read (`isPaused`, or the peer takes nothing) we cannot hear the peer either. */
  next(isPaused: boolean): number | undefined {
    let next = this.takenBy ?? (isPaused ? undefined : this.heardBy);
    if (this.openBy !== undefined && (next === undefined || this.openBy < next)) next = this.openBy;
    if (this.wholeBy !== undefined && (next === undefined || this.wholeBy < next)) next = this.wholeBy;
    return next;
  }

  /** What has been missed. */
  missed(now: number, isPaused: boolean): 'taken' | 'opened' | 'whole' | 'heard' | undefined {
    if (isDue(this.takenBy, now)) return 'taken';
    if (isDue(this.openBy, now)) return 'opened';
    if (isDue(this.wholeBy, now)) return 'whole';
    return this.takenBy === undefined && !isPaused && isDue(this.heardBy, now) ? 'heard' : undefined;
  }

  clear(): void {
    this.openBy = this.heardBy = this.wholeBy = this.takenBy = undefined;
  }
}

function isDue(deadline: number | undefined, now: number): boolean {
  return deadline !== undefined && deadline <= now;
}
