// Command histories decides whether the calls of a history have an order that explains all answers.
//
// It reads a line of JSON for each session, and writes a line with the verdict: "ok", "illegal", or
// "unknown" where the time limit passed. Porcupine finds the order; model.go says what a session is.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

type history struct {
	ID  string `json:"id"`
	Ops []op   `json:"ops"`
	// IsSharded says that the list of a user's sessions may be on another server than the session.
	IsSharded bool `json:"isSharded"`
}

type verdict struct {
	ID     string `json:"id"`
	Result string `json:"result"`
	// Lost counts what failovers lost, where the answers show it.
	Lost *loss `json:"lost,omitempty"`
	// Stuck describes the calls that the longest order could not place.
	Stuck []string `json:"stuck,omitempty"`
	Page  string   `json:"page,omitempty"`
}

func main() {
	limit := flag.Duration("limit", 20*time.Second, "the time limit for a session")
	pages := flag.String("pages", "", "the folder for a page of each session whose answers no order explains")
	flag.Parse()
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<28)
	output := json.NewEncoder(os.Stdout)
	var lock sync.Mutex
	var work sync.WaitGroup
	slots := make(chan struct{}, 2)
	for input.Scan() {
		var read history
		if err := json.Unmarshal(input.Bytes(), &read); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		work.Add(1)
		slots <- struct{}{}
		go func() {
			found := check(read, *limit, *pages)
			<-slots
			lock.Lock()
			defer lock.Unlock()
			if err := output.Encode(found); err != nil {
				os.Exit(2)
			}
			work.Done()
		}()
	}
	if err := input.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	work.Wait()
}

func check(read history, limit time.Duration, pages string) verdict {
	result, model, info, lost := decide(read, limit)
	found := verdict{ID: read.ID, Result: strings.ToLower(string(result))}
	if result == porcupine.Ok {
		found.Lost = lost
	}
	if result != porcupine.Illegal {
		return found
	}
	for _, order := range info.PartialLinearizationsOperations() {
		longest := []porcupine.Operation{}
		for _, each := range order {
			if len(each) > len(longest) {
				longest = each
			}
		}
		placed := map[int]bool{}
		for _, each := range longest {
			placed[each.Input.(op).Number] = true
		}
		for _, each := range read.Ops {
			if !placed[each.Number] {
				found.Stuck = append(found.Stuck, describe(each, nil))
			}
		}
	}
	if pages != "" {
		path := filepath.Join(pages, strings.NewReplacer("/", "-", ":", "-").Replace(read.ID)+".html")
		if porcupine.VisualizePath(model, info, path) == nil {
			found.Page = path
		}
	}
	return found
}

func describe(input, _ interface{}) string {
	o := input.(op)
	text := fmt.Sprintf("%d by %d: %s", o.Number, o.Process, o.Verb)
	if len(o.Set) > 0 {
		text += fmt.Sprintf(" {%s}", join(o.Set))
	}
	for _, variant := range o.Variants {
		text += fmt.Sprintf(" {%s} -%v", join(variant.Set), variant.Remove)
	}
	if o.Verb == "refresh" || o.Verb == "verify" {
		text += fmt.Sprintf(" %d", o.N)
	}
	text += " -> " + o.Answer
	if o.Found != nil {
		text += fmt.Sprintf(" {%s}", join(o.Found))
	}
	return text + fmt.Sprintf(" [%d, %d]", o.Call/1000, o.Return/1000)
}
