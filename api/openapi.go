package api

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/sealed"
)

// OpenAPI describes the routes of the table as an OpenAPI 3.1 document. It is made from
// the types that the server reads and writes, so that it cannot say anything else.
func OpenAPI() ([]byte, error) {
	d := &document{schemas: map[string]any{}}
	paths := map[string]map[string]any{}
	for _, r := range Routes {
		path := strings.TrimSpace(r.Pattern)
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path][strings.ToLower(r.Method)] = d.operation(r)
	}
	d.schema(reflect.TypeFor[Refusal]())
	return json.MarshalIndent(map[string]any{
		"openapi": "3.1.0",
		"info":    map[string]any{"title": "Latchkey", "version": "1", "description": "docs/wire.md says what the parts mean."},
		"paths":   paths,
		"components": map[string]any{
			"schemas": d.schemas,
			"securitySchemes": map[string]any{
				"session": map[string]any{"type": "apiKey", "in": "cookie", "name": "latchkey_{home}"},
				"account": map[string]any{"type": "apiKey", "in": "cookie", "name": AccountCookie},
				"agent":   map[string]any{"type": "apiKey", "in": "header", "name": HeaderAgent},
			},
		},
	}, "", "\t")
}

type document struct {
	schemas map[string]any // of the structs, by name
}

var inPath = regexp.MustCompile(`\{(\w+)\}`)

func (d *document) operation(r Route) map[string]any {
	parameters := []any{}
	for _, m := range inPath.FindAllStringSubmatch(r.Pattern, -1) {
		parameters = append(parameters, map[string]any{"name": m[1], "in": "path", "required": true, "schema": pathSchemas[m[1]]})
	}
	for _, q := range r.Query {
		kind := "string"
		if q.Number {
			kind = "integer"
		}
		parameters = append(parameters, map[string]any{"name": q.Name, "in": "query", "description": q.Says, "schema": map[string]any{"type": kind}})
	}
	if r.Form != Websocket && r.ID != "health" {
		parameters = append(parameters, map[string]any{
			"name": HeaderRequest, "in": "header", "required": true, "schema": map[string]any{"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
		})
	}
	if r.Form != Websocket && r.Right.Page() {
		parameters = append(parameters, map[string]any{
			"name": HeaderMAC, "in": "header", "required": true, "schema": map[string]any{"type": "string", "contentEncoding": "base64"},
		})
	}
	good := map[string]any{"description": r.Says}
	switch {
	case r.Form == Object && r.Method == "GET", r.Form == Letters:
		good["content"] = octets
	case r.Answer != nil && r.Form != Websocket:
		good["content"] = d.content(r.Answer)
	}
	o := map[string]any{
		"operationId": r.ID, "summary": r.Says, "parameters": parameters, "x-right": r.Right, "security": security(r.Right),
		"responses": map[string]any{
			strconv.Itoa(r.Status): good,
			"default":              map[string]any{"description": "A refusal.", "content": d.content(Refusal{})},
		},
	}
	switch {
	case r.Request != nil:
		o["requestBody"] = map[string]any{"required": true, "content": d.content(r.Request)}
	case r.Form == Object && r.Method == "PUT", r.Form == Letters:
		o["requestBody"] = map[string]any{"required": true, "content": octets}
	}
	return o
}

var octets = map[string]any{"application/octet-stream": map[string]any{}}

func security(r Right) []any {
	switch {
	case r.Session():
		return []any{map[string]any{"session": []any{}}}
	case r.Page():
		return []any{map[string]any{"account": []any{}}}
	case r == Uploader:
		return []any{map[string]any{"agent": []any{}}}
	}
	return []any{}
}

func (d *document) content(v any) map[string]any {
	return map[string]any{"application/json": map[string]any{"schema": d.schema(reflect.TypeOf(v))}}
}

func base32Schema(letters int) map[string]any {
	return map[string]any{"type": "string", "pattern": fmt.Sprintf("^[a-z2-7]{%d}$", letters)}
}

var pathSchemas = map[string]map[string]any{
	"home": base32Schema(52), "account": base32Schema(26), "agent": base32Schema(26), "camera": base32Schema(26), "object": base32Schema(26), "session": base32Schema(26), "unlocker": base32Schema(26), "slot": base32Schema(26),
	"stream": {"enum": []any{sealed.MainStream.String(), sealed.SubStream.String(), sealed.SoundStream.String()}},
	"day":    {"type": "string", "format": "date"},
	"kind":   {"enum": []any{latchkey.Thumbnail.String(), latchkey.Clip.String(), latchkey.Description.String()}},
}

var isText = reflect.TypeFor[encoding.TextMarshaler]()

// schema describes a type; structs are named and referred to.
func (d *document) schema(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeFor[V]():
		return map[string]any{"const": 1}
	case t == reflect.TypeFor[Head]():
		return map[string]any{"type": "string", "pattern": "^[0-9]{1,16}:[0-9a-f]{64}$"}
	case t == reflect.TypeFor[account.Kind]():
		return map[string]any{"enum": []any{account.Passkey.String(), account.Passphrase.String(), account.RecoveryCode.String()}}
	case t == reflect.TypeFor[latchkey.HomeID]():
		return base32Schema(52)
	case t.Implements(isText) && t.Kind() == reflect.Array && t.Len() == 16:
		return base32Schema(26)
	case t == reflect.TypeFor[[]byte]():
		return map[string]any{"type": "string", "contentEncoding": "base64"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.schema(t.Elem())
	case reflect.Slice:
		return map[string]any{"type": "array", "items": d.schema(t.Elem())}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Uint64, reflect.Int64:
		return map[string]any{"type": "integer", "maximum": uint64(latchkey.MaxInt)}
	case reflect.Struct:
		return d.object(t)
	}
	panic(fmt.Sprintf("internal error: no schema for %s", t))
}

func (d *document) object(t reflect.Type) map[string]any {
	ref := map[string]any{"$ref": "#/components/schemas/" + t.Name()}
	if _, known := d.schemas[t.Name()]; known {
		return ref
	}
	properties, required := map[string]any{}, []string{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		s := d.schema(f.Type)
		if says := f.Tag.Get("doc"); says != "" {
			s["description"] = says
		}
		properties[name] = s
		if options == "" {
			required = append(required, name)
		}
	}
	d.schemas[t.Name()] = map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	return ref
}
