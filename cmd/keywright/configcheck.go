package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

type configCheckCommand struct {
	config `embed:""`
}

// Run checks the configuration of serve without serving, and shows it as a
// file that would make it.
func (c *configCheckCommand) Run(_ context.Context, p *program, parsed *kong.Context) error {
	if err := c.check(p.settings); err != nil {
		return err
	}
	if _, err := c.certificate(p.settings); err != nil {
		return err
	}
	if !c.Dev { // which makes one at its first start
		if _, err := c.secrets(p.settings); err != nil {
			return err
		}
		if _, err := c.checkpointKey(p.settings); err != nil {
			return err
		}
	}
	return c.show(p, parsed)
}

func (c *configCheckCommand) show(p *program, parsed *kong.Context) error {
	if c.Config != "" {
		fmt.Fprintf(p.stdout, "# read from %s (%s)\n", c.Config, p.settings.origin[configKey])
	}
	if _, given := p.settings.variables[secretsVar]; given {
		fmt.Fprintf(p.stdout, "# the secrets are in %s\n", secretsVar)
	}
	shown := &yaml.Node{Kind: yaml.MappingNode}
	for _, flag := range parsed.Flags() {
		key := keyOf(flag.Name)
		if key == "help" || key == configKey || flag.Target.IsZero() || key == "data" && !c.Dev {
			continue
		}
		value := flag.Target.Interface()
		switch key {
		case "storage":
			value = redacted(c.Storage)
		case "checkpointURL":
			value = hostOnly(c.CheckpointURL)
		}
		node := &yaml.Node{}
		if err := node.Encode(value); err != nil {
			return err
		}
		if node.Kind == yaml.SequenceNode {
			node.Style = yaml.FlowStyle // the comment beside a list of lines is lost
		}
		node.LineComment = p.settings.origin[key]
		shown.Content = append(shown.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, node)
	}
	text, err := yaml.Marshal(shown)
	if err != nil {
		return err
	}
	_, err = p.stdout.Write(text)
	return err
}

// redacted gives a URL without its password, and without those of files and
// such that may be among its parameters.
func redacted(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "not a URL"
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "password") {
			query.Set(name, "xxxxx")
			u.RawQuery = query.Encode()
		}
	}
	return u.Redacted()
}

// hostOnly gives a URL without what may be a token: its path and what follows.
func hostOnly(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "not a URL"
	}
	if u.User == nil && u.RawQuery == "" && (u.Path == "" || u.Path == "/") {
		return raw
	}
	return u.Scheme + "://" + u.Host + "/xxxxx"
}
