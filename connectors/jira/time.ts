import { type ProviderContext, textAt } from '../../src/connector/index.js';
import { unexpectedAnswer } from './answer.js';
import type { Site } from './site.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The time zone that JQL reads times in: that of the account. */
export async function zoneOf(site: Pick<ProviderContext, 'request'> | Site): Promise<string> {
  const response = await site.request({ method: 'GET', path: '/rest/api/3/myself' });
  const zone = textAt(response.body, 'timeZone');
  if (!zone || !isZone(zone))
    throw unexpectedAnswer(response, 'the time zone of the account', { isAmbiguous: false });
  return zone;
}

/**
 * A moment as JQL reads it, `2026-01-31 10:00`, rounded down: it knows minutes and no zones. Where the clocks are set
 * back an hour comes twice; there the text is from the hour before, so that the earlier one is meant.
 */
export function toJql(time: string, zone: string): string {
  const moment = Date.parse(time);
  const [text, later] = [moment, moment + HOUR_MS].map((at) => wallClock(at, zone));
  return text === later ? wallClock(moment - HOUR_MS, zone) : String(text);
}

function wallClock(moment: number, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(moment);
  const part = (type: string): string => parts.find((found) => found.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')}`;
}

function isZone(zone: string): boolean {
  try {
    return wallClock(0, zone) !== '';
  } catch {
    return false;
  }
}

/** Jira writes `2026-01-31T10:00:00.000+0000`, in the zone of the account: in UTC the order of texts is that of times. */
export function toUtc(time: string | undefined): string | undefined {
  const moment = new Date(time ?? Number.NaN);
  return Number.isNaN(moment.getTime()) ? undefined : moment.toISOString();
}

export function minus(time: string, seconds: number): string {
  return new Date(Date.parse(time) - seconds * 1000).toISOString();
}

/** `2026-01-31T10:00`: two times with the same one JQL can't tell apart. */
export function minuteOf(time: string): string {
  return time.slice(0, 16);
}
