# SPDX-License-Identifier: Apache-2.0
"""A forwarder with a fault: asks dnsmasq, and answers late, or from another address.

    relay.py slow            127.0.0.1:5353 and 10.53.0.5:53, each answer after 0.7 s
    relay.py elsewhere       10.53.0.5:53, answers come from 10.53.0.6 as well, and before
"""

import asyncio
import socket
import sys

DNSMASQ = ("10.53.0.1", 53)


class Relay(asyncio.DatagramProtocol):
    def __init__(self, delay, elsewhere):
        self.delay, self.elsewhere = delay, elsewhere

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, client):
        asyncio.get_running_loop().create_task(self.answer(data, client))

    async def answer(self, data, client):
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
            upstream.setblocking(False)
            upstream.connect(DNSMASQ)
            await loop.sock_sendall(upstream, data)
            answer = await asyncio.wait_for(loop.sock_recv(upstream, 4096), 5)
        await asyncio.sleep(self.delay)
        if self.elsewhere:
            self.elsewhere.sendto(answer, client)
            await asyncio.sleep(0.05)
        self.transport.sendto(answer, client)


async def main(kind):
    loop = asyncio.get_running_loop()

    def listen(address, *how):
        return loop.create_datagram_endpoint(lambda: Relay(*how), local_addr=address)

    if kind == "elsewhere":
        elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        elsewhere.bind(("10.53.0.6", 53))
        await listen(("10.53.0.5", 53), 0, elsewhere)
    else:
        await listen(("127.0.0.1", 5353), 0.7, None)
        await listen(("10.53.0.5", 53), 0.7, None)
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))
