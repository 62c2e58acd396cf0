package engines

var FreePort = freePort
