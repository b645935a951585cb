// Package worker does the work that the mission's state says should be running and brings back one reply for
// each attempt. A reply is an input of the loop; nothing here knows jobs, money or the journal.
//
// Laws:
//
//   - A worker never decides: it says what happened (a result, or one Fault of a closed list) and whether the
//     machine had a part in it (Reply.MachineLimit). A reply without MachineLimit, its Detail included, is a
//     function of the mission and of what the program printed, so that it may enter a reproducible record.
//   - Everything read from outside has a limit that is applied before it is parsed.
//   - Nothing that Run started is left when Run returns: no process, file descriptor or goroutine.
//
// Units: sizes are bytes, timeouts are wall time, ratios are parts per million.
//
// # What an exec attempt finds
//
// The working directory is a fresh, empty folder; it is removed afterwards. Standard input is the job's input
// as JSON. Standard output must hold one JSON object and nothing else:
//
//	{"result": …, "energy_used": "12.5", "compute_used": "0"}
//
// Standard error is for people: its last 64 KiB are kept. Files left in the folder $OMEGA_OUT are kept as
// blobs named by their SHA-256. The environment is PATH, HOME, LANG, OMEGA_MISSION (the mission's folder),
// OMEGA_OUT, OMEGA_JOB, OMEGA_ATTEMPT, the variables the mission allows by name, and its secrets.
//
// A secret of six bytes or more is looked for in all that comes back. Where standard output, a file or the name
// of one holds it, the attempt fails with secret_in_result and nothing of it is kept; standard error is kept
// with *** in its place. A program that encodes or cuts a secret before it prints it is not found out.
//
// # How a command is read
//
// Paths in a mission file are relative to the mission's folder, and a command keeps that rule although it runs
// elsewhere:
//
//   - a program with a slash ("./solve", "bin/solve") is a file of the mission's folder; it can be neither
//     absolute nor lead out of it;
//   - a program without a slash ("python3") is looked up on the host's PATH;
//   - any later argument that is, as a whole, the relative name of an existing regular file under the mission's
//     folder ("analyse.py", "data/sites.csv"; no ".." and no link that leads out) is passed as that file's absolute path;
//   - everything else is passed as it stands. There is no shell, so nothing is expanded; a path inside an
//     argument ("--in=sites.csv") is the program's own business, with $OMEGA_MISSION to help.
//
// # How an attempt ends
//
// The program is started by a shim: this same binary, which calls Shim first thing in main. The shim is the
// parent of everything the attempt starts, and when the program has ended, or the host says so, or the host is
// gone (a pipe between them closes), it kills all that is left before it leaves. On Linux that holds for a
// daemon that left its process group and session too, because orphans return to the shim (a child subreaper).
//
// What remains possible: a program that asks another daemon of the machine to start something (systemd-run,
// at, docker) has escaped; so has one that became another user by a setuid program, which may not be killed. A program that
// kills its own shim loses its main process with it, and what else it started is found by OMEGA_OUT in its
// environment. On other systems than Linux only the program's process group is killed.
//
// Memory is measured, not rationed: every 100 ms the shim adds up what all processes of the attempt hold
// resident, shared pages counted once, and ends the attempt above the limit. RLIMIT_AS is not used, because
// runtimes reserve far more address space than they touch, and neither is RLIMIT_DATA at the limit itself,
// because a refused allocation looks like any other failure of the program and thread stacks count in full; it is set to four
// times the limit, for each process, against one that outruns the measuring. Only Linux has these limits.
package worker
