/** The records of what runs: which function an instance is of. Mirrors the repositories that `son-gtkrec` asks. */
import { Refusal } from './answer.ts';
import type { Catalogue } from './catalogue.ts';
import type { CatalogueElement, FunctionInstance } from './furnishing.ts';

export class Records {
  readonly #functions: Catalogue;
  readonly #instances: ReadonlyMap<string, FunctionInstance>;

  constructor(functions: Catalogue, instances: readonly FunctionInstance[]) {
    this.#functions = functions;
    this.#instances = new Map(instances.map((instance) => [instance.uuid, instance]));
  }

  /** The function that an instance is of. @throws Refusal 404 */
  functionOf(uuid: string): CatalogueElement {
    const record = this.#instances.get(uuid);
    if (record === undefined) throw new Refusal(404, `Record ${uuid} not found`);
    const element = this.#functions.find(record.functionUuid);
    // Named by its instance, as the server does.
    if (element === undefined) throw new Refusal(404, `Function ${uuid} not found`);
    return element;
  }
}
