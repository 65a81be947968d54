module github.com/latchkey-cam/latchkey

go 1.26

ignore ./web/node_modules
