package projection

// What tests look at from inside.
var (
	Seconds = seconds
	Part    = part
	UseOf   = useOf
	Add     = (*Sum).add
)
