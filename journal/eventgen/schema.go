package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// document is the source file.
type document struct {
	Schema      string          `json:"$schema"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Defs        ordered[schema] `json:"$defs"`
	Events      ordered[event]  `json:"events"`
}

// event is what the file says of one type.
type event struct {
	Version     int    `json:"version"`
	Description string `json:"description"`
	Data        schema `json:"data"`
}

// schema is as much of JSON Schema as the file may use: another keyword is an
// error, since nothing would be made of it.
type schema struct {
	Ref                  string          `json:"$ref"`
	Description          string          `json:"description"`
	Type                 typeNames       `json:"type"`
	Format               string          `json:"format"`
	Pattern              string          `json:"pattern"`
	Const                json.RawMessage `json:"const"`
	Enum                 []string        `json:"enum"`
	Minimum              *int            `json:"minimum"`
	Items                *schema         `json:"items"`
	AnyOf                []schema        `json:"anyOf"`
	Properties           ordered[schema] `json:"properties"`
	PropertyNames        *schema         `json:"propertyNames"`
	MinProperties        *int            `json:"minProperties"`
	AdditionalProperties *bool           `json:"additionalProperties"`
	Required             []string        `json:"required"`
	Personal             bool            `json:"personal"`
}

// typeNames is one name or several.
type typeNames []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *typeNames) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte(`"`)) {
		*t = make(typeNames, 1)
		return json.Unmarshal(text, &(*t)[0])
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// ordered is a JSON object whose members stay in order.
type ordered[T any] []member[T]

type member[T any] struct {
	Name  string
	Value T
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *ordered[T]) UnmarshalJSON(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		m := member[T]{Name: fmt.Sprint(name)}
		if err := dec.Decode(&m.Value); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		*o = append(*o, m)
	}
	return nil
}

func (o ordered[T]) get(name string) (*T, bool) {
	for i := range o {
		if o[i].Name == name {
			return &o[i].Value, true
		}
	}
	return nil, false
}

func parse(text []byte) (*document, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var d document
	if err := dec.Decode(&d); err != nil {
		return nil, err
	}
	for _, e := range d.Events {
		if e.Value.Version < 1 || e.Value.Description == "" {
			return nil, fmt.Errorf("%s lacks its version or description", e.Name)
		}
	}
	return &d, d.checkRefs()
}

// checkRefs fails where a $ref leads nowhere.
func (d *document) checkRefs() error {
	var walk func(s *schema) error
	walk = func(s *schema) error {
		if s == nil {
			return nil
		}
		if s.Ref != "" {
			if _, ok := d.Defs.get(s.refName()); !ok {
				return fmt.Errorf("%s leads nowhere", s.Ref)
			}
		}
		parts := []*schema{s.Items, s.PropertyNames}
		for i := range s.AnyOf {
			parts = append(parts, &s.AnyOf[i])
		}
		for i := range s.Properties {
			parts = append(parts, &s.Properties[i].Value)
		}
		for _, part := range parts {
			if err := walk(part); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range d.Defs {
		if err := walk(&d.Defs[i].Value); err != nil {
			return err
		}
	}
	for i := range d.Events {
		if err := walk(&d.Events[i].Value.Data); err != nil {
			return err
		}
	}
	return nil
}

// refName is the name of the definition that s refers to, empty for none.
func (s *schema) refName() string { return strings.TrimPrefix(s.Ref, "#/$defs/") }

// target gives the definition that s refers to, and s itself where it refers
// to none.
func (d *document) target(s *schema) *schema {
	if s.Ref == "" {
		return s
	}
	def, _ := d.Defs.get(s.refName()) // checked
	return def
}

// isChange reports whether a definition is of a change.
func (s *schema) isChange() bool { return s.refName() == "change" }

// changed gives the value whose change s is, and nil where it is no change.
func (d *document) changed(s *schema) *schema {
	def := d.target(s)
	if !def.isChange() {
		return nil
	}
	value, _ := def.Properties.get("to")
	return value
}

// personal gives the value that is personal, and nil where s is not.
func (d *document) personal(s *schema) *schema {
	if def := d.target(s); def.Personal {
		return &def.AnyOf[0]
	}
	return nil
}

func (s *schema) is(name string) bool { return len(s.Type) == 1 && s.Type[0] == name }

// camel gives license.key_rotated as LicenseKeyRotated.
func camel(name string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '_' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
