package web

// HandlerOf serves a build that is not the embedded one, so that tests can give a
// built and an unbuilt tree whether or not Node has been here.
var HandlerOf = handlerOf
