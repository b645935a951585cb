package projection

import (
	"bytes"
	"encoding/json"
)

const (
	// maxItems is the most items a list of an artifact has.
	maxItems = 1000
	// maxArtifact is the most bytes a snapshot has; the lists in it share it.
	maxArtifact = 1 << 20
)

// List is a bounded list: what matters most comes first, the rest is counted.
type List[T any] struct {
	Items     []T   `json:"items"`
	Total     int64 `json:"total"`     // how many there are
	Truncated bool  `json:"truncated"` // some of them are not among the items
}

// newList makes a list of which there are total items.
func newList[T any](total int64) List[T] {
	return List[T]{Items: []T{}, Total: total, Truncated: total > 0}
}

// add appends an item while there is room for it, in items and in bytes; room
// is what is left of the list's share of its artifact.
func (l *List[T]) add(item T, room *int) bool {
	size := len(encode(item))
	if len(l.Items) == maxItems || size > *room {
		return false
	}
	*room -= size
	l.Items = append(l.Items, item)
	l.Truncated = int64(len(l.Items)) < l.Total
	return true
}

// encode is compact JSON and a newline, with no escapes for HTML.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("projection: " + err.Error())
	}
	return b.Bytes()
}
