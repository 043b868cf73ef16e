# make help lists what there is.

DIR       ?= .ringback
PORT_BASE ?= 8000
RUN       ?= .

# How many calls the demo's lines carry; 0: as many as Asterisk does. Only given
# to make: a terminal may have its height in a variable of this name.
ifneq ($(origin LINES),command line)
LINES := 0
endif

BIN   := bin/ringback
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ringback

# The linter is pinned, and built once a version.
LINT_VERSION := v2.6.2
LINT         := $(CACHE)/golangci-lint-$(LINT_VERSION)/golangci-lint

# With the servers, voices, telephones and the compiler that tests need, and
# with nothing skipped for lack of them.
WITH  := CI=true $(BIN) demo setup --asterisk --peers --
UNITS  = $(shell go list ./... | grep -v '/e2e$$')

MAKEFLAGS += --no-print-directory

# Go asks git for the commit; where git refuses (another user's clone, or no
# clone at all) it builds without.
ifneq ($(shell git rev-parse HEAD >/dev/null 2>&1 && echo yes),yes)
export GOFLAGS := $(GOFLAGS) -buildvcs=false
endif

.PHONY: help build demo test check e2e recordings bench clean vet lint unit unit-race system

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS='	' read -r t d; do printf '  make %-11s %s\n' "$$t" "$$d"; done

build: ## build bin/ringback
	@[ -e $(BIN) ] || echo "Building $(BIN); the first time this takes a minute or two."
	@go build $(if $(wildcard $(BIN)),,-v) -o $(BIN) ./cmd/ringback

demo: build ## the whole hotline on this machine [DIR=.ringback] [PORT_BASE=8000] [LINES=20] [AGENTS_AT=sip:…,…] [CALLBACK_TO=sip:%s@host:port]; Ctrl-C stops it
	@exec $(BIN) demo --dir '$(DIR)' --port-base '$(PORT_BASE)' --lines '$(LINES)' --agents-at '$(AGENTS_AT)' --callback-to '$(CALLBACK_TO)'

test: build ## all that must pass: vet, lint, unit tests with -race, end to end
	@$(WITH) $(MAKE) vet lint unit-race system
	@echo "make test: all passed"

check: vet lint unit ## vet, lint and unit tests, without servers: what needs one is skipped

e2e: build ## the whole system, go test -v lines [RUN=regexp]
	@CI=true $(BIN) demo setup --peers -- $(MAKE) system RUN='$(RUN)'

recordings: build ## take the fake Asterisk's recordings anew from a real one
	@$(BIN) demo setup --asterisk -- go test ./asterisk -count=1 -v -run Recordings -record

bench: build ## the measurements of docs/MEASUREMENTS.md, about a quarter of an hour [RUN=regexp]
	@RINGBACK_BENCH=1 RINGBACK_BIN=$(CURDIR)/$(BIN) $(BIN) demo setup -- go test -v -count=1 -timeout 40m -run '$(RUN)' ./bench

clean: ## remove what was built and the demo's folder; what was downloaded stays in the cache
	rm -rf bin '$(DIR)'

# --- Steps of the above ------------------------------------------------------

vet:
	@echo "== go vet"
	@go vet ./...

lint: $(LINT)
	@echo "== golangci-lint"
	@$(LINT) run --allow-parallel-runners

$(LINT):
	@echo "Building golangci-lint $(LINT_VERSION), once; this takes some minutes."
	@CGO_ENABLED=0 GOBIN=$(dir $@) go install -v github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

unit:
	@echo "== unit tests"
	@go test $(UNITS)

# Compiling first shows that something moves: go test is silent while it does.
# Calls in real time are made while nothing else takes the processors.
CALLS := ringback/phone ringback/phone/terminal
unit-race:
	@echo "== unit tests with the race detector; compiling"
	@go build -race -v $(UNITS)
	@go test -race -parallel 4 $(filter-out $(CALLS),$(UNITS))
	@go test -race -p 1 -parallel 4 $(CALLS)
	@go test -run 'NoDeadEnd|WalkNotices' ./ivr
	@go test -run 'Rush$$' ./dispatch

system:
	@echo "== end to end, on real Asterisk and Postgres"
	@RINGBACK_BIN=$(CURDIR)/$(BIN) go test -v -count=1 -parallel 8 -timeout 30m -run '$(RUN)' ./e2e
