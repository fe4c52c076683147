/** The part of autocannon 9 that the bench uses; it comes without types. */
declare module 'autocannon' {
  export interface Request {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: Buffer;
    /** Called once for each request, before it is sent. */
    readonly setupRequest?: (request: Request) => Request;
  }

  export interface Options {
    readonly url: string | readonly string[];
    readonly connections: number;
    /** Requests in all; the run ends when the last is answered. */
    readonly amount?: number;
    /** Seconds, where no amount is given. */
    readonly duration?: number;
    /** Requests a second over all connections. */
    readonly overallRate?: number;
    /** How often it looks whether it is done, in milliseconds. */
    readonly sampleInt?: number;
    readonly requests: readonly Request[];
  }

  export interface Result {
    readonly requests: { readonly sent: number };
    readonly errors: number;
  }

  export interface Run extends Promise<Result> {
    on(
      event: 'response',
      listener: (client: unknown, statusCode: number, bytes: number, milliseconds: number) => void,
    ): this;
  }

  export default function autocannon(options: Options): Run;
}
