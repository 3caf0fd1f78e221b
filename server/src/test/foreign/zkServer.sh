#!/bin/bash
# Stands for ZooKeeper's script of this name: zkServer.sh start-foreground zoo.cfg. First: prepare.
root=$(cd "$(dirname "$0")/../../../.." && pwd)
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" $SERVER_JVMFLAGS --enable-native-access=ALL-UNNAMED \
  '-Dzookeeper.4lw.commands.whitelist=*' -cp "$(cat "$root/server/target/foreign/server.cp")" \
  org.apache.zookeeper.server.quorum.QuorumPeerMain "${@: -1}"
