import { defineConfig } from 'vitest/config';

export default defineConfig({
  // One copy of graphql for everyone: Vite would take its ESM build, CommonJS packages the other one,
  // and graphql refuses to mix the two ("another module or realm").
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['{src,resolvers,connectors,jobs,test}/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    // CI tries a test that fails once more, as its machine may be busy, and names it in its summary.
    retry: process.env['CI'] ? 1 : 0,
    maxWorkers: 3,
    // MiB for what has just been made: with Node's own 16 a fifth of the time goes into tidying up.
    execArgv: ['--max-semi-space-size=64'],
    // Files share a worker's modules: loading them anew for each costs more than all the tests. Nothing of ours keeps
    // state in a module (test/architecture.test.ts holds it), so no file can meet what another left.
    isolate: false,
  },
});
