#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks a site and writes its result as a passive one, for send_nsca (host, service, status and output, tabs between):
#   send-nsca.sh HOST SERVICE [option of mrascheck check]... | send_nsca -H monitor.contoso.example
# Line ends in the output become \n, as send_nsca 2.9 and newer want them. Exits as mrascheck does.
set -u
if [ $# -lt 2 ]; then
  echo "usage: send-nsca.sh HOST SERVICE [option of mrascheck check]..." >&2
  exit 3
fi
host=$1
service=$2
shift 2
output=$("${MRASCHECK:-mrascheck}" check --format plugin "$@" 2>&1)
status=$?
printf '%s\t%s\t%s\t' "$host" "$service" "$status"
printf '%s\n' "$output" | tr '\t' ' ' | sed 's/\\/\\\\/g' | sed -e ':more' -e '$!N' -e 's/\n/\\n/' -e 't more'
exit $status
