/** Loaded before a gateway, it lets something throw that nobody catches, when it is told to. */
process.on('SIGUSR2', () => {
  throw new Error('a handler has a fault');
});
