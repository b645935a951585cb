package council

import "encoding/binary"

// fieldSpace is room for the fields of an ordinary vote, so that they are laid out on the stack; longer
// ones are correct and allocate.
const fieldSpace = 512

func appendField[T string | []byte](b []byte, field T) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(field)))
	return append(b, field...)
}

func appendNumber(b []byte, n uint64) []byte {
	b = binary.BigEndian.AppendUint64(b, 8)
	return binary.BigEndian.AppendUint64(b, n)
}
