// Package journal keeps the one append-only record of a mission: lines chained by hash in segment files, made
// durable many at a time. It knows bytes only; what an entry means is the business of its caller.
//
// # Lines
//
// A line is {"seq":N,<body>,"prev":"<64 hex>","crc":"<8 hex>"} and a newline. The caller gives <body>, the members
// between seq and prev; the journal frames it. crc is CRC-32C over all bytes of the line before ,"crc"; the digest
// of an entry is SHA-256 over its whole line without the newline, and is the prev of the next line. Entry 1 has 64
// zeros. seq counts from 1 without gaps. No line exceeds [MaxEntry] bytes.
//
// # Segments
//
// Lines lie in <dir>/00000001.jsonl and on. Each file begins with a header line that names format, mission, segment,
// first seq and prev; a reader derives it again and compares every byte. Segments are cut by bytes only: a line that
// would carry the file past the limit begins the next one, so the cuts are a function of the lines. The open segment
// is filled ahead with newlines, which JSON readers skip, so that a sync writes data and no metadata; a sealed or
// cleanly closed one ends with its last line. A segment gets its name only when its header is durable.
//
// # Durability
//
// Append frames into memory and returns. One goroutine takes what has gathered whenever the disk is free, writes it,
// syncs once, notes the durable seq in <dir>/durable and wakes those who wait. After a failed write or sync nothing
// is tried again: every later call returns that first error, and the process should end.
//
// # Laws
//
//   - What any witness proves durable (the file durable, the record of a clean close, a checkpoint, a replica) is
//     there with its digest, or Open refuses with a [CorruptionError] and changes nothing.
//   - What no witness proves is kept as far as its lines are good. The rest is the torn tail: kept beside the
//     segment, cut, and reported in [Recovery]; never dropped in silence.
//   - What no witness proves was perhaps read from a page cache whose sync had failed. So Open copies such an open
//     segment to a new file, syncs that and renames it into place before it appends; it never trusts the old pages.
//   - A journal that was there never starts empty.
//   - Readers hold cursors with their own file handles. No reader slows the writer or sees an entry before it is
//     durable.
//
// Sizes and offsets are bytes. Seqs count entries from 1; 0 means none.
package journal
