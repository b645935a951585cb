# What one does with this tree. `make` alone lists it.

export CGO_ENABLED = 0
MISSIONS = hello handoff workflow observatory omega

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

build: ## build the program: bin/omega
	go build -trimpath -o bin/omega ./cmd/omega

ON = bin/omega run missions/omega --data .omega/omega --speed 400

run: build ## run the flagship, missions/omega, from the beginning: seven hours of it in a minute
	@if bin/omega status --data .omega/omega --json 2>/dev/null | grep -q '"running":true'; then \
		echo "a host runs .omega/omega now; watch it: bin/omega status --watch --data .omega/omega"; exit 1; fi
	@if [ -e .omega/omega ]; then n=1; while [ -e .omega/omega-$$n ]; do n=$$((n+1)); done; \
		mv .omega/omega .omega/omega-$$n && echo "the record of the last run is now .omega/omega-$$n"; fi
	@echo "running missions/omega from the beginning; its data folder is .omega/omega"
	@trap : INT; $(ON); code=$$?; echo; \
	if ! bin/omega status --data .omega/omega --json 2>/dev/null | grep -q '"status":"ended"'; then \
		echo "it has not ended; go on with:  $(ON)"; exit 0; fi; \
	echo "look at it:  bin/omega job list --data .omega/omega"; \
	echo "             bin/omega explain forecast --data .omega/omega"; \
	echo "             bin/omega cost --data .omega/omega"; \
	echo "             bin/omega verify .omega/omega"; exit $$code

test: ## check everything that can be checked here
	go vet ./...
	OMEGA_NODE=required go test -timeout 15m ./...

check: ## the quick part: format, vet, layout
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt these: $$unformatted"; exit 1; }
	go vet ./...
	go test .

ci: build ## rehearse each mission under many builds and habits; compare with its digest
	.ci/digests $(MISSIONS)

golden: build ## write missions/*/digest again, after a change of the record that is meant
	@for m in $(MISSIONS); do \
		bin/omega run --ci --json missions/$$m | sed 's/.*"digest":"\([0-9a-f]*\)".*/\1/' > missions/$$m/digest && \
		echo "$$m $$(cat missions/$$m/digest)"; \
	done

sim: ## run the simulator for longer than make test does
	OMEGA_SEEDS=$${OMEGA_SEEDS:-1-2000} go test -count=1 -timeout 60m -run TestSimulation ./host/hosttest

kills: ## kill a host 5,000 times, or OMEGA_KILLS times
	OMEGA_KILLS=$${OMEGA_KILLS:-5000} go test -count=1 -timeout 120m -parallel 6 -v -run TestKilledHostGoesOn ./cmd/omega

damage: ## cut and flip every byte of a mission's journal: some 5 million starts
	OMEGA_DAMAGE=all go test -count=1 -timeout 300m -v -run TestEveryByteOfAMission ./host

bench: ## measure, side by side with others; as root it installs PostgreSQL where it is missing
	cd bench && go run . -install

clean: ## remove what was built and the data of make run
	rm -rf bin .omega bench/out

.PHONY: help build run test check ci golden sim kills damage bench clean
