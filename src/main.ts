// Nothing is imported before the runtime is known to be new enough: an older one would stop at the first import
// with a message that helps nobody.
const REQUIRED = 24;

if (Number(process.versions.node.split('.')[0]) < REQUIRED) {
  process.stderr.write(
    `Tributary needs Node ${REQUIRED} or newer and this is ${process.versions.node}: start it with "npm start", which brings its own.\n`,
  );
  process.exitCode = 1;
} else {
  const { start } = await import('./start.js');
  await start(process.argv.slice(2), process.env);
}
