import { defineConfig } from 'vitest/config';

export default defineConfig({
  // One copy of graphql for everyone: Vite would take its ESM build, CommonJS packages the other one,
  // and graphql refuses to mix the two ("another module or realm").
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['{src,resolvers,connectors,jobs,test}/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    maxWorkers: 3,
  },
});
