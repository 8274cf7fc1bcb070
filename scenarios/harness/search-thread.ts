/** A thread that searches: it is handed one share of the scenarios after the other, and hands back what came of each. */
import { parentPort } from 'node:worker_threads';
import { loadContracts } from '../../contracts/contract.ts';
import { type Share, searchShare } from './crew.ts';
import { loadLaws } from './laws.ts';

const [laws, contracts] = [await loadLaws(), await loadContracts()];

parentPort?.on('message', async (share: Share) => parentPort?.postMessage(await searchShare(laws, contracts, share)));
