/** XML-RPC written and read: megabytes a second, of an answer that is a document and of a call that carries a template. */
import { decodeAnswer, decodeCall, encodeAnswer, encodeCall } from '../../sim/api/oned/xmlrpc.ts';
import type { Benchmark, Result } from './benchmark.ts';

const ROUNDS = 100;
const ROUND_MS = 10;
const BAR = { atLeast: 50 };

/** Markup from end to end, as every answer of OpenNebula is. */
const VM = `<VM><ID>7</ID><UID>2</UID><GID>1</GID><UNAME>tester</UNAME><GNAME>users</GNAME><NAME>vmx</NAME>
<STATE>3</STATE><LCM_STATE>3</LCM_STATE><STIME>1795297342</STIME><TEMPLATE><CPU><![CDATA[0.1]]></CPU><DISK><IMAGE>
<![CDATA[fimg]]></IMAGE><SOURCE><![CDATA[dummy_path]]></SOURCE><TM_MAD><![CDATA[dummy]]></TM_MAD></DISK></TEMPLATE></VM>`;
const DOCUMENT = VM.replaceAll('\n', '').repeat(300);
const TEMPLATE = 'DEVICE_INFO=[GEOGRAPHIC_LOCATION="Madrid", LATENCY_TO_PE="0.5"]\n'.repeat(300);

export const xmlrpc: Benchmark = {
  name: 'xmlrpc',
  what: 'an answer of 130 kB of XML, and a call with 20 kB of template text, written and read',
  bar: '50 MB/s each',
  async run() {
    const answer = [true, DOCUMENT, 0] as const;
    const call = { method: 'one.vm.update', params: ['tester:testerpass', 7, TEMPLATE, 1] } as const;
    const [answerText, callText] = [encodeAnswer(answer), encodeCall(call)];
    return [
      measure('an answer written', answerText.length, () => encodeAnswer(answer)),
      measure('an answer read', answerText.length, () => decodeAnswer(answerText)),
      measure('a call written', callText.length, () => encodeCall(call)),
      measure('a call read', callText.length, () => decodeCall(callText)),
    ];
  },
};

/** The best of many short rounds: nothing waits here, so that the others say what else the machine did. */
function measure(figure: string, bytes: number, act: () => unknown): Result {
  const rates = Array.from({ length: ROUNDS }, () => {
    const from = performance.now();
    let done = 0;
    while (performance.now() - from < ROUND_MS) {
      act();
      done += bytes;
    }
    return done / 1e3 / (performance.now() - from);
  });
  return { figure, measured: Math.max(...rates), unit: 'MB/s', bar: BAR };
}
