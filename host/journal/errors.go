package journal

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed is returned by calls on a closed journal or cursor.
	ErrClosed = errors.New("the journal is closed")
	// ErrTooLarge is returned by Append for a line of more than MaxEntry bytes. Nothing was appended.
	ErrTooLarge = fmt.Errorf("the entry exceeds %d bytes", MaxEntry)
	// ErrBody is returned by Append for an empty body or one that holds a newline. Nothing was appended.
	ErrBody = errors.New("an entry's body must not be empty nor hold a newline")
	// ErrNewerFormat means that a segment has a format this program does not know.
	ErrNewerFormat = errors.New("the journal was written by a newer omega; open it with that version")
	// ErrOtherMission means that a segment names another mission than it should.
	ErrOtherMission = errors.New("the journal belongs to another mission")
)

// remedy is what can be done about any corruption.
const remedy = "nothing was changed; restore the data folder from a replica or a copy"

// CorruptionError says that something proved durable is damaged or gone. Nothing was changed.
type CorruptionError struct {
	File   string // the path of the damaged or missing file
	Offset int64  // the first byte that is not as it must be
	Seq    uint64 // the entry expected there
	Reason string
	Remedy string
}

func (e *CorruptionError) Error() string {
	return fmt.Sprintf("%s is damaged at byte %d, entry %d: %s; %s", e.File, e.Offset, e.Seq, e.Reason, e.Remedy)
}
