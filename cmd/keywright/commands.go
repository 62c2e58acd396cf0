package main

import (
	"context"
	"errors"
	"io"

	"github.com/alecthomas/kong"
)

// commands is the command line.
type commands struct {
	Serve   serveCommand    `cmd:"" help:"Serve the API until a signal ends it."`
	Migrate migrateCommand  `cmd:"" help:"Bring the schema of the storage up to this program's."`
	Dump    dumpCommand     `cmd:"" help:"Write all that the storage holds to the standard output, for keywright load. No server may serve."`
	Load    loadCommand     `cmd:"" help:"Read a dump from the standard input into an empty storage, of any engine, and verify it."`
	Backup  backupCommand   `cmd:"" help:"Copy a storage that is a file, SQLite's, into another, while servers serve."`
	Journal journalCommands `cmd:"" help:"Verify and export the journal, and sign checkpoints of it."`
	Config  struct {
		Check configCheckCommand `cmd:"" help:"Check the configuration of serve, and show it with where each value comes from."`
	} `cmd:"" help:"Look at the configuration."`
	Version versionCommand `cmd:"" help:"Say which program this is."`
}

// program is what a command runs with.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	settings       *settings
}

// run runs one command.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) error {
	helped := false
	parser, err := kong.New(&commands{},
		kong.Name("keywright"),
		kong.Description("A license server: staff issue license keys, programs in the field validate them. Try: keywright serve --dev"),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ValueFormatter(describe),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if helped {
		return nil
	}
	var unusable *kong.ParseError
	if errors.As(err, &unusable) && unusable.Context != nil {
		return hinted(unusable)
	}
	if err != nil {
		return err
	}
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr, settings: newSettings(environ)}
	if err := p.settings.fill(parsed); err != nil {
		return err
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return parsed.Run(p)
}
