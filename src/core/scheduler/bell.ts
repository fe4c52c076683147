import { type NotificationChannel, type NotificationHandler, toJobId } from 'agenda';

/** The store's channel as Agenda may use it, and a way to make this process look for jobs of a name at once. */
export interface Bell {
  readonly channel: NotificationChannel;
  ring(name: string): void;
}

/** Agenda looks for jobs from time to time, and when the channel tells of a new one, but not when one has ended. */
export function createBell(channel: NotificationChannel): Bell {
  const listeners = new Set<NotificationHandler>();
  const subscribe = channel.subscribe.bind(channel);
  return {
    channel: Object.assign(channel, {
      // Agenda would tell every process three times a run about states that nobody here reads; it can't without these.
      publishState: undefined,
      subscribeState: undefined,
      subscribe(handler: NotificationHandler) {
        listeners.add(handler);
        const end = subscribe(handler);
        return () => {
          listeners.delete(handler);
          end();
        };
      },
    }),
    ring(name) {
      const hint = { jobId: toJobId(''), jobName: name, nextRunAt: null, priority: 0, timestamp: new Date() };
      for (const listener of listeners) void listener(hint);
    },
  };
}
