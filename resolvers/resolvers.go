// Package resolvers answers GraphQL over HTTP: arguments in, one use-case
// called, answer out. It holds no rule and asks no storage; the only check of
// a permission is the directive's.
package resolvers

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/graph"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/page"
	"github.com/keywright/keywright/resolvers/wire"
	"github.com/keywright/keywright/validation"
)

// DefaultWithin is less than a shutdown waits, though what became of a change is
// looked up for some seconds more.
const DefaultWithin = 10 * time.Second

// Config is what the handler is made of. All but Within, Streams and Credential
// are needed.
type Config struct {
	Licensing  *licensing.Service
	Validation *validation.Service
	Enforcer   authz.Enforcer
	Log        *slog.Logger
	// Within is how long an operation may take, save for a subscription:
	// DefaultWithin if zero. What it waits for then is Unavailable.
	Within time.Duration
	// Streams are the subscriptions' and WebSockets': of the default number if
	// nil.
	Streams *wire.Streams
	// Credential tells who holds the credential that a WebSocket brings in its
	// first message; see wire.Transport. If nil, none is good.
	Credential func(ctx context.Context, header string) (context.Context, bool)
}

// New makes the handler of /graphql. Who calls is in the request's context
// (actor.From). It fails if a root field has neither @hasPermission nor
// @public, or both, or names an action that there is not.
func New(c Config) (http.Handler, error) {
	schema := withoutDefer(graph.NewExecutableSchema(graph.Config{}).Schema())
	executable := graph.NewExecutableSchema(graph.Config{
		Schema:    schema,
		Resolvers: root{c},
		Directives: graph.DirectiveRoot{
			HasPermission: hasPermission(c),
			Public: func(ctx context.Context, _ any, next graphql.Resolver, _ string) (any, error) {
				return oneByOne(ctx, next)
			},
		},
	})
	if err := CheckRootFields(schema); err != nil {
		return nil, err
	}
	exec := executor.New(executable)
	exec.SetErrorPresenter(presenter(c.Log))
	exec.SetRecoverFunc(recovered)
	exec.Use(feeds{presenter(c.Log)})
	public := publicFields(schema)
	e := endpoint{exec: exec, within: cmp.Or(c.Within, DefaultWithin), schema: schema, public: public, documents: newDocuments(schema, public)}
	e.streams = c.transport()
	e.streams.Open = e.open
	return e, nil
}

func (c Config) transport() *wire.Transport {
	if c.Streams == nil {
		c.Streams = wire.NewStreams(0)
	}
	if c.Credential == nil {
		c.Credential = func(context.Context, string) (context.Context, bool) { return nil, false }
	}
	return &wire.Transport{Credential: c.Credential, Streams: c.Streams, Log: c.Log, Patience: wire.DefaultPatience()}
}

// withoutDefer gives the schema without @defer, which gqlgen adds: it is part
// of no contract of ours, and the endpoint answers once.
func withoutDefer(schema *ast.Schema) *ast.Schema {
	s := *schema
	s.Directives = maps.Clone(s.Directives)
	delete(s.Directives, "defer")
	return &s
}

// CheckRootFields fails if a field of Query, Mutation or Subscription does not
// carry exactly one of @hasPermission and @public, or names an unknown action.
func CheckRootFields(schema *ast.Schema) error {
	for root, field := range rootFields(schema) {
		permission, public := field.Directives.ForName("hasPermission"), field.Directives.ForName("public")
		if (permission == nil) == (public == nil) {
			return fmt.Errorf("resolvers: the field %s.%s must carry exactly one of @hasPermission and @public", root.Name, field.Name)
		}
		if permission == nil {
			continue
		}
		action := authz.Action(permission.Arguments.ForName("action").Value.Raw)
		if !slices.Contains(authz.Actions(), action) {
			return fmt.Errorf("resolvers: the field %s.%s needs %q, which is no action", root.Name, field.Name, action)
		}
	}
	return nil
}

// rootFields are those of Query, Mutation and Subscription, save for
// introspection.
func rootFields(schema *ast.Schema) iter.Seq2[*ast.Definition, *ast.FieldDefinition] {
	return func(yield func(*ast.Definition, *ast.FieldDefinition) bool) {
		for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
			if root == nil {
				continue
			}
			for _, field := range root.Fields {
				if !strings.HasPrefix(field.Name, "__") && !yield(root, field) {
					return
				}
			}
		}
	}
}

// publicFields are the root fields that anyone may call.
func publicFields(schema *ast.Schema) map[string]bool {
	public := map[string]bool{}
	for _, field := range rootFields(schema) {
		if field.Directives.ForName("public") != nil {
			public[field.Name] = true
		}
	}
	return public
}

// hasPermission refuses whoever may not do the action on any product. Whether
// the caller may do it on the record in question is the use-case's to judge.
func hasPermission(c Config) func(context.Context, any, graphql.Resolver, string) (any, error) {
	return func(ctx context.Context, _ any, next graphql.Resolver, action string) (any, error) {
		if _, err := authz.Authorize(ctx, c.Enforcer, authz.Action(action)); err != nil {
			c.Licensing.Denied(ctx, authz.Action(action))
			return nil, err
		}
		return oneByOne(ctx, next)
	}
}

// oneByOne gives each of several joined errors as an error of its own: one
// for each bad field of an input.
func oneByOne(ctx context.Context, next graphql.Resolver) (any, error) {
	result, err := next(ctx)
	if err == nil {
		return result, nil
	}
	all := fault.All(err)
	last := len(all) - 1
	for _, one := range all[:last] {
		graphql.AddError(ctx, one)
	}
	return nil, all[last]
}

type root struct{ Config }

var _ graph.ResolverRoot = root{}

func (r root) Query() graph.QueryResolver       { return query(r) }
func (r root) Mutation() graph.MutationResolver { return mutation(r) }
func (r root) Product() graph.ProductResolver   { return product(r) }
func (r root) License() graph.LicenseResolver   { return licenses(r) }
func (r root) Event() graph.EventResolver       { return event(r) }

func (r root) Activation() graph.ActivationResolver     { return activation(r) }
func (r root) Subscription() graph.SubscriptionResolver { return subscription(r) }

type product root

var _ graph.ProductResolver = product{}

func (product) Metadata(_ context.Context, of *license.Product) (license.Metadata, error) {
	return license.OrEmpty(of.Metadata), nil
}

func (p product) Plans(ctx context.Context, of *license.Product, archived bool, first int, after *string) (*licensing.PlanConnection, error) {
	return p.Licensing.PlansOf(ctx, of, archived, page.Args{First: first, After: after})
}

type activation root

var _ graph.ActivationResolver = activation{}

type licenses root

var _ graph.LicenseResolver = licenses{}

func (l licenses) Events(ctx context.Context, of *licensing.LicenseView, order licensing.EventOrder, first int, after *string) (*licensing.EventConnection, error) {
	return l.Licensing.EventsOf(ctx, of, order, page.Args{First: first, After: after})
}

type event root

var _ graph.EventResolver = event{}

func (e event) License(ctx context.Context, of *licensing.EventView) (*licensing.LicenseView, error) {
	return e.Licensing.EventLicense(ctx, of)
}

func (e event) Data(ctx context.Context, of *licensing.EventView) (json.RawMessage, error) {
	return e.Licensing.EventData(ctx, of)
}

func (a activation) SubjectHash(_ context.Context, of *licensing.ActivationView) (string, error) {
	return a.Licensing.SubjectHash(of.License.License, of.Holder()), nil
}
