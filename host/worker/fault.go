package worker

// Fault names why an attempt has no valid result; "" means it has one. The list is closed.
type Fault string

const (
	FaultExit        Fault = "exit"             // the program ended with an exit code other than 0
	FaultSignal      Fault = "signal"           // the program was ended by a signal that the host did not send
	FaultTimeout     Fault = "timeout"          // the program ran longer than its wall time
	FaultMemory      Fault = "memory"           // the attempt's processes held more memory than allowed
	FaultOutputLimit Fault = "output_limit"     // the program wrote more to standard output than allowed
	FaultSecret      Fault = "secret_in_result" // what the program printed or left holds one of its secrets
	FaultBadJSON     Fault = "bad_json"         // standard output is not the envelope, or an amount in it is not canonical
	FaultTooLarge    Fault = "too_large"        // the result is larger than 64 KiB as canonical JSON
	FaultStartFailed Fault = "start_failed"     // the program could not be started
	FaultKilled      Fault = "killed"           // the host ended the attempt, or the process that watches it was killed
	FaultFilesLimit  Fault = "files_limit"      // the files in $OMEGA_OUT are too many, too large, badly named or not regular
	FaultStorage     Fault = "storage"          // the host could not keep the files in $OMEGA_OUT
	FaultScript      Fault = "script"           // the script threw, ran into a limit or answered what is no value
	FaultHTTP        Fault = "http"             // the server was not reached, or its status was not 2xx
)

// Faults is the closed list, in the order of precedence when several would apply.
var Faults = []Fault{
	FaultStartFailed, FaultKilled, FaultOutputLimit, FaultTimeout, FaultMemory, FaultSignal,
	FaultExit, FaultSecret, FaultBadJSON, FaultTooLarge, FaultFilesLimit, FaultStorage, FaultScript, FaultHTTP,
}
