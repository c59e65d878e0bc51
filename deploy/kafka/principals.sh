#!/bin/sh
# Makes the names that Leadwire's processes and devices log in to Kafka with, each with least rights.
#
#   principals.sh services          leadwire-gateway, leadwire-worker, leadwire-api and leadwire-operator
#   principals.sh device NAME...    devices that publish straight to Kafka: write to ecg.samples, nothing else
#   principals.sh remove NAME...    take a device's right and login away
#
# Prints "NAME PASSWORD" for each one it makes, once; made again, a name has a new password.
# KAFKA_BOOTSTRAP    host:port of the SASL_SSL listener
# KAFKA_ADMIN        properties file of an admin, for Kafka's own tools (docs/kafka-security.md)
# KAFKA_BIN          folder of Kafka's tools, /opt/kafka/bin unless given
# LEADWIRE_WORKER_GROUP   as the workers have it, leadwire unless given
set -eu
umask 077

bootstrap=${KAFKA_BOOTSTRAP:?set it to host:port of the SASL_SSL listener}
admin=${KAFKA_ADMIN:?set it to the properties file of an admin, see docs/kafka-security.md}
bin=${KAFKA_BIN:-/opt/kafka/bin}
group=${LEADWIRE_WORKER_GROUP:-leadwire}

configs() { "$bin/kafka-configs.sh" --bootstrap-server "$bootstrap" --command-config "$admin" "$@" >&2; }
acls() { "$bin/kafka-acls.sh" --bootstrap-server "$bootstrap" --command-config "$admin" "$@" >&2; }

# A login with a new password, which goes by a file: arguments show in process lists.
login() {
  password=$(od -An -tx1 -N24 /dev/urandom | tr -d ' \n')
  file=$(mktemp)
  echo "SCRAM-SHA-512=[password=$password]" >"$file"
  configs --alter --entity-type users --entity-name "$1" --add-config-file "$file" || { rm -f "$file"; exit 1; }
  rm -f "$file"
  echo "$1 $password"
}

# allow NAME OPERATION TOPIC...
allow() {
  name=$1 operation=$2
  shift 2
  for topic in "$@"; do set -- "$@" --topic "$topic"; shift; done
  acls --add --allow-principal "User:$name" --operation "$operation" "$@"
}

services() {
  login leadwire-gateway
  allow leadwire-gateway Write ecg.samples ecg.alarms ecg.reports

  login leadwire-worker
  allow leadwire-worker Read ecg.samples ecg.alarms ecg.reports
  allow leadwire-worker Write ecg.beats ecg.metrics ecg.rhythms ecg.alarms ecg.reports ecg.rejects
  acls --add --allow-principal User:leadwire-worker --operation Read --group "$group" --group "$group-webhook"

  login leadwire-api
  allow leadwire-api Read ecg.samples ecg.beats ecg.metrics ecg.rhythms ecg.alarms

  # For people: leadwire migrate, doctor, rejects and replay.
  login leadwire-operator
  acls --add --allow-principal User:leadwire-operator --resource-pattern-type prefixed --topic ecg. \
    --operation Create --operation Describe --operation DescribeConfigs --operation AlterConfigs --operation Read
  allow leadwire-operator Write ecg.samples ecg.reports ecg.rejects
}

# Not for a name of a service: it keeps the rights that it has.
device() {
  case $1 in leadwire-*) echo "$1 is a service's name; choose another for a device" >&2; exit 64 ;; esac
  login "$1"
  allow "$1" Write ecg.samples
}

# The right goes first: it ends at once, also on connections that are open, which a login that is gone does not end.
remove() {
  acls --remove --force --allow-principal "User:$1" --operation Write --topic ecg.samples
  configs --alter --entity-type users --entity-name "$1" --delete-config SCRAM-SHA-512
}

what=${1:-}
[ $# -gt 0 ] && shift
case $what in
  services) services ;;
  device | remove) for name in "$@"; do "$what" "$name"; done ;;
  *) sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
esac
