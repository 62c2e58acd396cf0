// Verifies an export of the journal with nothing but the verifier key of its
// checkpoints, independently of Keywright's code:
//
//	node verify-export.mjs EXPORT VERIFIER-KEY
//
// It recomputes each leaf hash and the Merkle tree (RFC 6962) and compares the
// tree with the checkpoint (c2sp.org/tlog-checkpoint) that the export's last
// line carries. It prints one line of JSON, {"entries":...,"covered":...}, and
// ends with 1 where anything does not fit. Covered is how many of the log's
// first entries the checkpoint vouches for, as far as the export goes.
import { createHash, createPublicKey, verify } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { argv, exit, stderr, stdout } from 'node:process'

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()
const leafOf = (entry) => sha256(Buffer.of(0), entry)
const nodeOf = (left, right) => sha256(Buffer.of(1), left, right)

function need(good, problem) {
  if (!good) throw new Error(problem)
}

// A tree as its edge: the roots of its full subtrees, the largest first.
class Tree {
  constructor(size, edge) {
    let bits = 0n
    for (let rest = BigInt(size); rest > 0n; rest >>= 1n) bits += rest & 1n
    need(BigInt(edge.length) === bits, 'the edge in the first line is not of a tree of its size')
    Object.assign(this, { size, edge })
  }

  // add appends a full subtree, of one leaf if nothing is said.
  add(hash, size = 1) {
    for (let place = this.size / size; place % 2 === 1; place = (place - 1) / 2) hash = nodeOf(this.edge.pop(), hash)
    this.edge.push(hash)
    this.size += size
  }

  root() {
    if (this.size === 0) return sha256()
    return this.edge.reduceRight((right, left) => nodeOf(left, right))
  }
}

// linesOf gives the lines of a file as bytes.
async function* linesOf(path) {
  let rest = Buffer.alloc(0)
  for await (const chunk of createReadStream(path)) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end; (end = rest.indexOf(10, start)) >= 0; start = end + 1) yield rest.subarray(start, end)
    rest = rest.subarray(start)
  }
  need(rest.length === 0, 'the export is cut off in the middle of a line')
}

const bytes = (base64) => {
  const raw = Buffer.from(base64, 'base64')
  need(raw.toString('base64') === base64, 'a value is not base64')
  return raw
}

// entryOf gives the bytes of an entry, as the line has them.
function entryOf(line, fields) {
  if (fields.base64 !== undefined) return bytes(fields.base64)
  const mark = ',"entry":'
  return line.subarray(line.indexOf(mark) + mark.length, line.length - 1)
}

// open reads a note that the key has signed.
function open(note, verifier) {
  const [, name, id, key] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(verifier) ?? []
  need(key !== undefined, 'the verifier key is malformed')
  const raw = bytes(key)
  need(raw.length === 33 && raw[0] === 1, 'the verifier key is not of Ed25519')
  need(sha256(name, '\n', raw).subarray(0, 4).toString('hex') === id, 'the verifier key has another hash')
  const end = note.lastIndexOf('\n\n')
  const text = note.slice(0, end + 1)
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.subarray(1).toString('base64url') }, format: 'jwk' })
  const signed = note.slice(end + 2).split('\n').some((line) => {
    if (!line.startsWith(`— ${name} `)) return false
    const signature = bytes(line.split(' ')[2])
    return signature.subarray(0, 4).toString('hex') === id && verify(null, Buffer.from(text), publicKey, signature.subarray(4))
  })
  need(end > 0 && signed, 'the checkpoint is not signed by the verifier key')
  const [origin, size, root, ...more] = text.split('\n')
  need(more.length === 1 && more[0] === '' && /^[1-9]\d*$/.test(size), 'the checkpoint is malformed')
  return { origin, size: Number(size), root: bytes(root) }
}

// largest gives the size of the largest full subtree from at on, up to end.
function largest(at, end) {
  let size = 1
  while (at % (size * 2) === 0 && at + size * 2 <= end) size *= 2
  return size
}

async function check(path, verifier) {
  let head, tree, last
  const roots = new Map() // of the sizes that the checkpoint may have
  for await (const line of linesOf(path)) {
    need(last === undefined, 'there are lines behind the last')
    const fields = JSON.parse(line.toString('utf8'))
    if (head === undefined) {
      need(fields.format === 'keywright journal export 1', 'the format is unknown')
      head = fields
      tree = new Tree(fields.from, fields.edge.map(bytes))
    } else if (fields.to !== undefined) {
      last = fields
    } else {
      need(fields.index === tree.size, `entry ${fields.index} stands where ${tree.size} should`)
      need(fields.base64 === undefined || fields.entry === undefined, `entry ${fields.index} stands there twice`)
      const leaf = leafOf(entryOf(line, fields))
      need(leaf.equals(bytes(fields.leaf)), `entry ${fields.index} has another hash`)
      tree.add(leaf)
      roots.set(tree.size, tree.root())
    }
  }
  need(last !== undefined, 'the export is cut off: it has no last line')
  need(last.to === tree.size && bytes(last.root).equals(tree.root()), 'the root in the last line is not that of the tree')
  const result = { entries: tree.size - head.from, from: head.from, to: last.to, covered: 0 }
  if (last.checkpoint === undefined) return result

  const note = open(last.checkpoint, verifier)
  need(note.origin === `keywright/journal/${head.log}/${head.epoch}`, 'the checkpoint is of another log or epoch')
  need(note.size > head.from, 'the checkpoint vouches for none of the entries')
  for (const hash of last.proof ?? []) {
    need(tree.size < note.size, 'the proof is too long')
    tree.add(bytes(hash), largest(tree.size, note.size))
  }
  const root = note.size > last.to ? tree.size === note.size && tree.root() : roots.get(note.size)
  need(root && root.equals(note.root), 'the checkpoint has another root: the log was rewritten')
  return { ...result, covered: Math.min(note.size, last.to) }
}

try {
  stdout.write(JSON.stringify(await check(argv[2], argv[3])) + '\n')
} catch (problem) {
  stderr.write(problem.message + '\n')
  exit(1)
}
