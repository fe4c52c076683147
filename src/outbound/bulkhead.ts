import { type Lane, lanes, shareOf } from './target.js';

export interface BulkheadOptions {
  /** Calls at the same time, per name. */
  readonly slots: number;
  /** Calls that wait for a slot, per name. */
  readonly queue: number;
  readonly waitMs: number;
}

/** No slot came free in time, or too many wait already. */
export class BulkheadFull extends Error {
  override readonly name = 'BulkheadFull';
}

/** Bounds what is under way at once, so that one name's trouble takes no more than its own slots. */
export interface Bulkhead {
  /** Works in a slot of this name. Throws {@link BulkheadFull} instead when there is none. */
  run<T>(name: string, lane: Lane, work: () => Promise<T>): Promise<T>;
}

interface Waiter {
  readonly lane: Lane;
  readonly enter: () => void;
}

/** One name's slots. Gone as soon as nobody is in it. */
interface Room {
  active: number;
  readonly waiting: Waiter[];
}

export function createBulkhead({ slots, queue, waitMs }: BulkheadOptions): Bulkhead {
  const rooms = new Map<string, Room>();

  function hasSlot({ active }: Room, lane: Lane): boolean {
    return active < shareOf(lane, slots);
  }

  /** Undefined when there is a slot at once. */
  function enter(room: Room, lane: Lane): Promise<void> | undefined {
    if (hasSlot(room, lane)) {
      room.active += 1;
      return undefined;
    }
    if (room.waiting.length >= queue) return Promise.reject(new BulkheadFull());
    return wait(room, lane);
  }

  function wait(room: Room, lane: Lane): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      room.waiting.splice(room.waiting.indexOf(waiter), 1);
      reject(new BulkheadFull());
    }, waitMs);
    const waiter: Waiter = {
      lane,
      enter() {
        clearTimeout(timer);
        room.active += 1;
        resolve();
      },
    };
    room.waiting.push(waiter);
    return promise;
  }

  /** The most urgent goes first, in its lane the oldest. Where it has no slot, those behind it have none either. */
  function leave(name: string, room: Room): void {
    room.active -= 1;
    const lane = lanes.find((one) => room.waiting.some((waiter) => waiter.lane === one));
    if (lane && hasSlot(room, lane)) {
      const index = room.waiting.findIndex((waiter) => waiter.lane === lane);
      room.waiting.splice(index, 1)[0]?.enter();
    }
    if (room.active === 0) rooms.delete(name);
  }

  return {
    async run(name, lane, work) {
      const room = rooms.get(name) ?? { active: 0, waiting: [] };
      rooms.set(name, room);
      const turn = enter(room, lane);
      if (turn) await turn;
      try {
        return await work();
      } finally {
        leave(name, room);
      }
    },
  };
}
