# SPDX-License-Identifier: Apache-2.0
"""What dialler.cpp does, as asyncio and ssl do it: dialler.py DIRECTORY TARGETS."""
import asyncio
import ssl
import sys

SERVER = "edge.contoso.example"


def service_request(number):
    body = (
        '<?xml version="1.0"?>\r\n<request xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns="http://schemas.microsoft.com/2006/09/sip/mrasp" '
        f'requestID="{number}" version="3.0" to="sip:{SERVER}" from="sip:probe@contoso.example"><credentialsRequest '
        f'credentialsRequestID="{number}"><identity>sip:probe@contoso.example</identity>'
        "<location>intranet</location><duration>480</duration></credentialsRequest></request>"
    )
    return (
        f"SERVICE sip:{SERVER}:5062;grid SIP/2.0\r\n"
        f"Via: SIP/2.0/TLS 127.0.0.1:40000;branch=z9hG4bK7A1B2C3D.{number}\r\nMax-Forwards: 69\r\n"
        "From: <sip:probe@contoso.example>;tag=0123456789;epid=0123456789\r\n"
        f"To: <sip:{SERVER}>\r\nCall-ID: {number}a84b4c76e66710\r\nCSeq: 1 SERVICE\r\n"
        "Contact: <sip:fe.contoso.example:40000;transport=tls>\r\n"
        f"Content-Type: application/msrtc-media-relay-auth+xml\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def dial(context, slots, number, address, port):
    async with slots:
        reader, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=SERVER)
        writer.write(service_request(number))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:"))
        await reader.readexactly(length)
        writer.close()
        return head.startswith(b"SIP/2.0 200 ")


async def main(directory, targets):
    context = ssl.create_default_context(cafile=directory + "/root.pem")
    context.load_cert_chain(directory + "/fe.pem", directory + "/fe.key")
    slots = asyncio.Semaphore(64)
    with open(targets, encoding="ascii") as file:
        lines = [line.split() for line in file]
    calls = (dial(context, slots, number, address, int(port)) for number, (address, port) in enumerate(lines))
    print(sum(await asyncio.gather(*calls)), "said 200 OK")


asyncio.run(main(sys.argv[1], sys.argv[2]))
