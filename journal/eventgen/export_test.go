package main

import "go/format"

// Parse reads a source file.
var Parse = parse

// Made gives what is made of a source: Go, TypeScript and the page.
func Made(text []byte) ([]string, error) {
	doc, err := parse(text)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, o := range outputs {
		var w out
		o.write(&w, doc)
		all = append(all, w.String())
	}
	formatted, err := format.Source([]byte(all[0]))
	all[0] = string(formatted)
	return all, err
}
