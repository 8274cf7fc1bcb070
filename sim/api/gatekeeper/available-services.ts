/** The micro-services that the Gatekeeper consists of. Here they are one, and as old as their world. */
import type { JsonObject } from '../../one/flow/json.ts';
import { timestamp } from './catalogue.ts';

const NAMES = [
  'api',
  'packages',
  'services',
  'functions',
  'records',
  'licences',
  'vims',
  'wims',
  'kpis',
  'users',
  'micro-services',
  'catalogue',
  'metrics',
  'validator',
  'rate_limiter',
] as const;

/** @param url where all of them are */
export const availableServices = (url: string, sinceMs: number, nowMs: number): readonly JsonObject[] =>
  NAMES.map((name) => ({ name, url, alive_since: timestamp(sinceMs), seconds: (nowMs - sinceMs) / 1000 }));
