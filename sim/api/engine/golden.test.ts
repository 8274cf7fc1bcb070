import { describe, expect, it } from 'vitest';
import { Playback, RECORDED } from './playback.ts';

describe('stateless', () => {
  const stateless = [...RECORDED.keys()].filter((n) =>
    /^(auth_|badauth_|bearer_|noauth_|wrongpass_|post_|schema_|list_|unknown|options_|patch|root|trailing|version_|server_|collection_|get_via|get_with|chunked|put_missing_(no|null)|id_(?!existing)|http_(?!long_uri|very|lower))/.test(
      n,
    ),
  );
  for (const name of stateless)
    it(name, async () => {
      await new Playback().expect(name);
    });
});
