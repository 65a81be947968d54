package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey/bench/role"
)

// serveYes is the role of the handler that nginx asks: it knows nobody and says yes.
func serveYes(ctx context.Context, _ []string) error {
	return serve(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusOK) }))
}

// serveFiles is the role of Go's own file server.
func serveFiles(ctx context.Context, args []string) error {
	return serve(ctx, http.FileServer(http.Dir(args[0])))
}

func serve(ctx context.Context, h http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// nginx is set up as well as it can be for this: no log, no wait, files kept open. It asks
// the handler in the two ways there are: as in auth_request's own documentation, by a
// connection for each question, and by connections that are kept alive.
const nginxConf = `
daemon off;
worker_processes auto;
pid PREFIX/nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 100000000;
	keepalive_timeout 600;
	open_file_cache max=10000 inactive=600s;
	open_file_cache_valid 600s;
	types { }
	default_type application/octet-stream;
	client_body_temp_path PREFIX/body;
	proxy_temp_path PREFIX/proxy;
	fastcgi_temp_path PREFIX/fastcgi;
	uwsgi_temp_path PREFIX/uwsgi;
	scgi_temp_path PREFIX/scgi;
	upstream yes {
		server YES;
		keepalive 256;
		keepalive_requests 100000000;
	}
	server {
		listen STATIC;
		root FILES;
	}
	server {
		listen ASKING;
		root FILES;
		location / { auth_request /yes; }
		location = /yes {
			internal;
			proxy_pass http://YES;
			proxy_set_header Content-Length "";
			proxy_pass_request_body off;
		}
	}
	server {
		listen KEEPING;
		root FILES;
		location / { auth_request /yes; }
		location = /yes {
			internal;
			proxy_pass http://yes;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Content-Length "";
			proxy_pass_request_body off;
		}
	}
}
`

// nginx is nginx and where it listens.
type nginx struct {
	*role.Process
	static, asking, keeping string
}

func startNginx(ctx context.Context, prefix, files, yes string) (*nginx, error) {
	n := &nginx{}
	for _, at := range []*string{&n.static, &n.asking, &n.keeping} {
		var err error
		if *at, err = role.FreeAddress(); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(prefix, 0o700); err != nil {
		return nil, err
	}
	conf := strings.NewReplacer("PREFIX", prefix, "YES", yes, "FILES", files,
		"STATIC", n.static, "ASKING", n.asking, "KEEPING", n.keeping).Replace(nginxConf)
	if os.Getuid() == 0 { // or its workers are somebody who may not read the files
		conf = "user root;\n" + conf
	}
	at := filepath.Join(prefix, "nginx.conf")
	if err := os.WriteFile(at, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	var err error
	n.Process, err = role.StartProgram(ctx, n.keeping, "nginx", "-p", prefix, "-c", at)
	return n, err
}
