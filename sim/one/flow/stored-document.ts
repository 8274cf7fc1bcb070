/**
 * A document of the pool whose BODY is JSON. Servers that keep their state in it (OneFlow, the Provisioning Engine) work
 * on the object; it becomes text only when someone reads the document's template, so that a change costs nothing.
 */
import type { Lock } from '../access/acl.ts';
import type { Document } from '../document.ts';
import { Template } from '../syntax/syntax.ts';
import { isObject, type Json, type JsonObject } from './json.ts';

const BODY = 'BODY';

export interface DocumentState extends Document {
  readonly body: Json | undefined;
  readonly edited: boolean;
  readonly taken: JsonObject | undefined;
}

export class StoredDocument implements Document {
  readonly id: number;
  readonly type: number;
  uid: number;
  gid: number;
  name: string;
  permissions: number;
  lock: Lock | null = null;
  /** The body that the server has taken up: when it is not {@link body}, a client has written another since. */
  taken: JsonObject | undefined;
  /** As written by a client; without BODY once the object has taken over. */
  #template: Template;
  /** `undefined` until it is read. */
  #body: Json | undefined;
  #edited = false;

  constructor(document: Omit<Document, 'lock'>) {
    this.id = document.id;
    this.type = document.type;
    this.uid = document.uid;
    this.gid = document.gid;
    this.name = document.name;
    this.permissions = document.permissions;
    this.#template = document.template;
  }

  static revive(state: DocumentState): StoredDocument {
    const document = new StoredDocument(state);
    document.lock = state.lock;
    document.#body = state.body;
    document.#edited = state.edited;
    document.taken = state.taken;
    return document;
  }

  state(): DocumentState {
    const { id, type, uid, gid, name, permissions, lock, taken } = this;
    const [template, body, edited] = [this.#template, this.#body, this.#edited];
    return { id, type, uid, gid, name, permissions, lock, taken, template, body, edited };
  }

  get template(): Template {
    if (!this.#edited) return this.#template;
    return new Template([...this.#template, { name: BODY, value: JSON.stringify(this.#body) }]);
  }

  set template(template: Template) {
    this.#template = template;
    this.#body = undefined;
    this.#edited = false;
  }

  /** Whether the object is the truth, and not a text that a client has written. */
  get isLive(): boolean {
    return this.#edited;
  }

  /** BODY; `undefined` when there is none or it is not a JSON object. Not to be changed. */
  get body(): JsonObject | undefined {
    if (this.#body === undefined) this.#body = read(this.#template.get(BODY));
    return isObject(this.#body) ? this.#body : undefined;
  }

  /** Replaces BODY. From now on the object is the truth, and may be changed by whoever owns the document's type. */
  set body(body: JsonObject) {
    if (!this.#edited) this.#template = this.#template.filter(({ name }) => name !== BODY);
    this.#body = body;
    this.#edited = true;
  }
}

function read(text: string | undefined): Json {
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
