#!/usr/bin/env bash
# Starts MongoDB in containers that listen on the host's network, for tests with
# KEYWRIGHT_TEST_MONGODB=mongodb://127.0.0.1:27017/: "replicaset" of three, or
# "sharded": two shards of one member behind mongos. It removes what an earlier
# run of it left; "stop" does only that.
set -euo pipefail

image=mongo:8
label=keywright-mongodb

start() { # start PROGRAM PORT ARGUMENT...
	local program=$1 port=$2
	shift 2
	docker run --detach --network host --label $label --name "$label-$port" "$image" \
		"$program" --bind_ip 127.0.0.1 --port "$port" "$@" >/dev/null
	for _ in {1..120}; do
		! ask "$port" 'db.hello()' >/dev/null 2>&1 || return 0
		sleep 0.5
	done
	docker logs "$label-$port" 2>&1 | tail -50
	echo "$program on port $port does not answer" >&2
	return 1
}

ask() { # ask PORT SCRIPT
	docker exec "$label-$1" mongosh --quiet --port "$1" --eval "$2"
}

replicate() { # replicate NAME PORT...: returns when there is a primary
	local name=$1 first=$2 members=() port
	shift
	for port; do # the first is to be the primary, for tests go to it
		members+=("{_id: ${#members[@]}, host: '127.0.0.1:$port', priority: $((${#members[@]} == 0 ? 2 : 1))}")
	done
	ask "$first" "rs.initiate({_id: '$name', members: [$(IFS=, && echo "${members[*]}")]});
		while (!db.hello().isWritablePrimary) sleep(200)" >/dev/null
}

stop() {
	docker ps --all --quiet --filter "label=$label" | xargs --no-run-if-empty docker rm --force >/dev/null
}

stop
case ${1:-} in
replicaset)
	for port in 27017 27018 27019; do
		start mongod "$port" --replSet rs
	done
	replicate rs 27017 27018 27019
	;;
sharded)
	start mongod 27101 --configsvr --replSet config
	start mongod 27102 --shardsvr --replSet one
	start mongod 27103 --shardsvr --replSet two
	replicate config 27101
	replicate one 27102
	replicate two 27103
	start mongos 27017 --configdb config/127.0.0.1:27101
	ask 27017 "sh.addShard('one/127.0.0.1:27102'); sh.addShard('two/127.0.0.1:27103')" >/dev/null
	;;
stop) ;;
*)
	echo "unknown argument ${1:-}: replicaset, sharded or stop" >&2
	exit 2
	;;
esac
