# Latchkey. `make demo` shows it, `make test` checks it.
export GOTOOLCHAIN = local
export CGO_ENABLED = 0

.PHONY: demo build web test test-long bench

## demo: a whole house on this machine, with three painted cameras
demo: build
	./latchkey demo

## build: the program, with the web app in it
build: web
	go build -trimpath -o latchkey ./cmd/latchkey

web:
	@scripts/setup demo
	@scripts/web

## test: every test but the long ones
test:
	@scripts/test

## test-long: the tests that take longer than a quarter of an hour
test-long:
	@scripts/test long

## bench: the table of figures
bench: build
	@scripts/bench
