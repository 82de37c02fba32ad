/**
 * Who is measured. Each file gives `verifier(policy)`, which gives a function from a token to its claims, or to a
 * promise of them, and most of them `signer(material)`, which gives a function that signs an assertion for the audience
 * it is given. Whoever imports one loads no other's library.
 */

import { readFileSync } from 'node:fs';

/** Peer → the package behind it. */
export const PEERS = {
  gatepass: 'gatepass',
  'google-auth-library': 'google-auth-library',
  jose: 'jose',
  jsonwebtoken: 'jsonwebtoken',
  'fast-jwt': 'fast-jwt',
  'fast-jwt with its cache': 'fast-jwt',
};

/** The functions of a peer. */
export async function load(peer) {
  return await import(`./${peer.replaceAll(' ', '-')}.mjs`);
}

/** What is installed. */
export function versionOf(name) {
  if (name === 'node') return process.versions.node;
  const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(manifest, 'utf8')).version;
}
