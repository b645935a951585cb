package ledger

import "fmt"

// Unit is what an amount counts. A transfer never crosses units.
type Unit uint8

// The units, in their canonical order. The zero value is Token.
const (
	Token Unit = iota
	Energy
	Compute

	// Units is the number of units.
	Units = 3
)

var unitNames = [Units]string{"TOKEN", "ENERGY", "COMPUTE"}

// String is the unit's permanent name.
func (u Unit) String() string {
	if int(u) < len(unitNames) {
		return unitNames[u]
	}
	return fmt.Sprintf("unit(%d)", uint8(u))
}

// ParseUnit is the inverse of String, exact to the letter.
func ParseUnit(text string) (Unit, error) {
	for i, name := range unitNames {
		if text == name {
			return Unit(i), nil
		}
	}
	return 0, fmt.Errorf("unit %.20q: not one of TOKEN, ENERGY, COMPUTE", text)
}
