"""Drives the Hetzner emulator with Hetzner's own Python client. Arguments: the URL of the API, a public key."""

import sys

from hcloud import APIException, Client
from hcloud.images import Image
from hcloud.locations import Location
from hcloud.server_types import ServerType

url, public_key = sys.argv[1:]
client = Client(token="client-of-another-language", api_endpoint=url, poll_interval=0.05)


def refused(code, request):
    try:
        request()
    except APIException as error:
        assert error.code == code, (error.code, code)
        return
    raise AssertionError(f"not refused with {code}")


locations = {location.name for location in client.locations.get_all()}
assert {"nbg1", "fsn1", "hel1"} <= locations, locations
types = {type.name: type for type in client.server_types.get_all()}
assert types["cx23"].cores == 2 and types["cx23"].architecture == "x86", types
image = client.images.get_by_name_and_architecture("debian-12", "x86")
assert image.architecture == "x86"
assert client.images.get_by_name_and_architecture("debian-12", "arm").id != image.id

key = client.ssh_keys.create(name="client", public_key=public_key)
assert client.ssh_keys.get_by_name("client").fingerprint == key.fingerprint
refused("uniqueness_error", lambda: client.ssh_keys.create(name="client", public_key=public_key))


def order(name, **more):
    return client.servers.create(
        name=name,
        server_type=ServerType(name="cx23"),
        image=Image(id=image.id),
        location=Location(name="nbg1"),
        ssh_keys=[key],
        labels={"client": "python"},
        **more,
    )


made = order("python-1")
assert made.root_password is None
made.action.wait_until_finished()
for action in made.next_actions:
    action.wait_until_finished()
server = client.servers.get_by_id(made.server.id)
assert server.status == "running", server.status
assert server.public_net.ipv4.ip, server.public_net
refused("uniqueness_error", lambda: order("python-1"))
refused("invalid_input", lambda: order("Not_A_Name"))

server.update(labels={"client": "python", "round": "2"})
assert [found.id for found in client.servers.get_all(label_selector="client=python,round in (2,3)")] == [server.id]
assert client.servers.get_all(label_selector="client!=python,round") == []
server.power_off().wait_until_finished()
assert client.servers.get_by_name("python-1").status == "off"
server.power_on().wait_until_finished()
assert client.servers.get_by_name("python-1").status == "running"

names = [f"page-{number}" for number in range(60)]
for name in names:
    order(name)
listed = client.servers.get_all(label_selector="client=python")
assert len(listed) == 61 and len({found.id for found in listed}) == 61, len(listed)
for found in listed:
    found.delete()
for found in listed:
    refused("not_found", lambda: client.servers.get_by_id(found.id))
client.ssh_keys.get_by_name("client").delete()
print("ok: hetzner")
