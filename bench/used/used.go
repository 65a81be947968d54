// Package used reads what a process has used, as Linux tells it in /proc.
package used

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// By returns the CPU time and the resident memory of a process and of its children that
// run, and the time of those that have ended.
func By(pid int) (time.Duration, int64, error) {
	cpu, memory, err := alone(pid)
	if err != nil {
		return 0, 0, err
	}
	children, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return 0, 0, err
	}
	for _, file := range children {
		list, err := os.ReadFile(file)
		if err != nil {
			continue // a thread that has ended
		}
		for _, text := range strings.Fields(string(list)) {
			child, err := strconv.Atoi(text)
			if err != nil {
				return 0, 0, err
			}
			c, m, err := By(child)
			if errors.Is(err, os.ErrNotExist) {
				continue // it has ended meanwhile
			} else if err != nil {
				return 0, 0, err
			}
			cpu, memory = cpu+c, memory+m
		}
	}
	return cpu, memory, nil
}

// alone reads what one process and its ended children have used: proc(5), stat,
// fields 14 to 17 in ticks of 10 ms, but for the living threads their schedstat, which
// is in nanoseconds.
func alone(pid int) (time.Duration, int64, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, 0, err
	}
	var cpu time.Duration
	for _, file := range threads {
		b, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		ns, err := strconv.ParseInt(strings.Fields(string(b))[0], 10, 64)
		if err != nil {
			return 0, 0, err
		}
		cpu += time.Duration(ns)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 22 {
		return 0, 0, errors.New("read /proc: not as expected; the measuring needs Linux")
	}
	for _, f := range fields[13:15] { // of children that have ended and were waited for
		ticks, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, 0, err
		}
		cpu += time.Duration(ticks) * 10 * time.Millisecond
	}
	pages, err := strconv.ParseInt(fields[21], 10, 64)
	if err != nil {
		return 0, 0, err
	}
	return cpu, pages * int64(os.Getpagesize()), nil
}
