import { fileURLToPath } from 'node:url';

// The package is a link to its folder in the checkout.
const root = fileURLToPath(new URL('../../../../..', import.meta.url));

export default {
  serverExternalPackages: ['gatepass'],
  outputFileTracingRoot: root,
  turbopack: { root },
};
