import { caller } from '../../../program.js';

export default async function handler(_req, res) {
  res.status(200).json({ email: await caller() });
}
