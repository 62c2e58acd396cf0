package main

import (
	"fmt"
	"os"

	"github.com/keywright/keywright/secret"
)

// secretConfig is what every command that needs the secrets is told. They are
// in a file or in the variable KEYWRIGHT_SECRETS.
type secretConfig struct {
	SecretFile string `placeholder:"FILE" help:"The server's secrets, 64 hexadecimal digits a line, the first makes new keys. Or put the text itself into KEYWRIGHT_SECRETS."`
}

func (c *secretConfig) checkSecrets(bad *problems) {
	if _, given := bad.variables[secretsVar]; given && bad.set("secretFile") {
		bad.add("secretFile", "contradicts %s; give one of them", secretsVar)
	} else if !given && c.SecretFile == "" {
		bad.add("secretFile", "not set; name a file with a secret, made by (umask 077; openssl rand -hex 32 > FILE), or put one into "+secretsVar)
	}
}

// secrets reads the secrets from their file or variable.
func (c *secretConfig) secrets(s *settings) (*secret.List, error) {
	if text, given := s.variables[secretsVar]; given {
		list, err := secret.Parse([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", secretsVar, err)
		}
		return list, nil
	}
	text, err := os.ReadFile(c.SecretFile)
	if err != nil {
		return nil, s.problem("secretFile", "%w", err)
	}
	list, err := secret.Parse(text)
	if err != nil {
		return nil, s.problem("secretFile", "%s: %w", c.SecretFile, err)
	}
	return list, nil
}
