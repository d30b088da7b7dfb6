#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks a site and hands its result to the API of Icinga 2 as a passive one (action process-check-result).

  icinga2-api.py [--url URL] [--ca FILE] [--user USER] HOST SERVICE [option of mrascheck check]...

The password of the API user is read from the environment, ICINGA2_PASSWORD. With --url - the request is printed, not
sent. Exits as mrascheck does, or with 3 where the result could not be delivered."""
import argparse
import base64
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.request


def main():
    parser = argparse.ArgumentParser(description="hands a result of mrascheck to Icinga 2")
    parser.add_argument("--url", default="https://localhost:5665")
    parser.add_argument("--ca", default="/var/lib/icinga2/certs/ca.crt")
    parser.add_argument("--user", default="mrascheck")
    parser.add_argument("host")
    parser.add_argument("service")
    parser.add_argument("options", nargs=argparse.REMAINDER)
    wanted = parser.parse_args()
    command = [os.environ.get("MRASCHECK", "mrascheck"), "check", "--format", "plugin", "--perfdata-thresholds", "plain"]
    ran = subprocess.run(command + wanted.options, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    first, _, rest = ran.stdout.decode("utf-8", "replace").partition("\n")
    text, _, perfdata = first.partition(" | ")
    body = {
        "type": "Service",
        "filter": "host.name == host_name && service.name == service_name",
        "filter_vars": {"host_name": wanted.host, "service_name": wanted.service},
        "exit_status": ran.returncode,
        "plugin_output": text + ("\n" + rest if rest else ""),
        "performance_data": re.findall(r"(?:'[^']*'|\S)+", perfdata),
        "check_source": os.uname().nodename,
    }
    if wanted.url == "-":
        print(json.dumps(body, indent=2))
        return ran.returncode
    password = os.environ.get("ICINGA2_PASSWORD", "")
    request = urllib.request.Request(
        wanted.url + "/v1/actions/process-check-result",
        data=json.dumps(body).encode(),
        headers={
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Authorization": "Basic " + base64.b64encode(f"{wanted.user}:{password}".encode()).decode(),
        },
    )
    try:
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=wanted.ca), timeout=30) as answer:
            results = json.load(answer).get("results", [])
    except (OSError, ValueError) as problem:
        print(f"the result could not be delivered: {problem}", file=sys.stderr)
        return 3
    if not results:
        print(f"Icinga 2 knows no service {wanted.service} of {wanted.host}", file=sys.stderr)
        return 3
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())
