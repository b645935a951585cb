// Reads graphs from standard input, one JSON object a line:
//   {"name", "text", "nodes": {id: label}, "edges": ["from to"], "classes": [...]}
// and has Mermaid parse each text. What Mermaid makes of it must be what the
// line says and nothing more, so that a statement smuggled in by a title is seen.
// Prints what differs, a line each, and ends with 1 if anything does.
import { strict as assert } from 'node:assert';
import { createInterface } from 'node:readline';
import { JSDOM } from 'jsdom';

globalThis.window = new JSDOM('').window;
globalThis.document = window.document;
const { default: mermaid } = await import('mermaid/dist/mermaid.esm.min.mjs');
mermaid.initialize({ startOnLoad: false });

// parse() keeps what it reads to itself: the newest of Mermaid's flowcharts is it.
const flowcharts = (await mermaid.mermaidAPI.getDiagramFromText('flowchart LR')).db.constructor.prototype;
const { clear } = flowcharts;
let newest;
flowcharts.clear = function (...args) {
  newest = this;
  return clear.apply(this, args);
};

// Until it draws, Mermaid keeps a numeric entity in this form; a break loses its
// slash, and space around a label goes.
const kept = (label) => label.replace(/#(\d+);/g, 'ﬂ°°$1¶ß').replaceAll('<br/>', '<br>').trim();

async function judge(graph) {
  newest = undefined;
  const { diagramType } = await mermaid.parse(graph.text);
  assert.match(diagramType, /^flowchart/);
  const db = newest;
  const nodes = {};
  for (const [id, node] of db.getVertices()) {
    nodes[id] = node.text.trim();
    assert.equal(node.link, undefined, 'a link');
    assert.deepEqual(node.styles, [], 'a style');
    assert.equal(node.haveCallback ?? false, false, 'a callback');
    assert.equal(node.type, 'square', 'a shape');
    assert.equal(node.labelType, 'string', 'a label that is not plain text');
    assert.equal(node.classes.length, 1, 'a class');
  }
  const expected = Object.fromEntries(Object.entries(graph.nodes).map(([id, label]) => [id, kept(label)]));
  assert.deepEqual(nodes, expected);
  assert.deepEqual(db.getEdges().map((e) => `${e.start} ${e.end}`), graph.edges);
  assert.deepEqual([...db.getClasses().keys()].sort(), graph.classes);
  assert.deepEqual(db.getSubGraphs(), [], 'a subgraph');
  assert.equal(db.getDirection(), 'LR');
  assert.equal(db.getDiagramTitle() + db.getAccTitle() + db.getAccDescription(), '', 'a title');
}

let judged = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const graph = JSON.parse(line);
  try {
    await judge(graph);
    judged++;
  } catch (error) {
    console.log(`${graph.name}: ${error.message}`);
    process.exitCode = 1;
  }
}
console.log(`${judged} graphs are as they should be`);
