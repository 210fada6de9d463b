// The peer of the figure `webhooks`: Probot, with a handler that does nothing. Started by the bench with the folder of
// its packages; tells its address on standard error, as the server does.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const packages = createRequire(`${process.argv[2]}/`);
const { run } = await import(pathToFileURL(packages.resolve('probot')).href);

const server = await run((app) => {
  app.on('push', async () => {});
}, {
  env: {
    APP_ID: process.env.APP_ID,
    PRIVATE_KEY: process.env.PRIVATE_KEY,
    WEBHOOK_SECRET: process.env.WEBHOOK_SECRET,
    WEBHOOK_PATH: '/webhooks/github',
    HOST: '127.0.0.1',
    PORT: process.env.PORT,
    NODE_ENV: 'production',
    LOG_LEVEL: 'info',
  },
});
console.error(JSON.stringify({ message: 'ready', address: `127.0.0.1:${server.port}` }));
