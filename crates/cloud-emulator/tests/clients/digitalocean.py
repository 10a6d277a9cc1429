"""Drives the DigitalOcean emulator with DigitalOcean's own Python client. Arguments: the URL of the API, a public key."""

import sys
import time

import pydo
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import _authentication

url, public_key = sys.argv[1:]
# The client sends tokens over TLS only; this one stays within the machine.
_authentication._enforce_https = lambda request: None
# The client adds the version itself.
client = pydo.Client(token="client-of-another-language", endpoint=url.removesuffix("/v2"))


def refused(status, request):
    try:
        request()
    except HttpResponseError as error:
        assert error.status_code == status, (error.status_code, status)
        return
    raise AssertionError(f"not refused with {status}")


def until(what, look):
    for _ in range(200):
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited in vain: {what}")


assert client.account.get()["account"]["status"] == "active"
regions = {region["slug"] for region in client.regions.list()["regions"]}
assert "nyc3" in regions, regions
sizes = {size["slug"]: size for size in client.sizes.list(per_page=200)["sizes"]}
assert sizes["s-2vcpu-4gb"]["vcpus"] == 2, sizes
images = {image["slug"] for image in client.images.list(type="distribution", per_page=200)["images"]}
assert "debian-12-x64" in images, images
key = client.ssh_keys.create(body={"name": "client", "public_key": public_key})["ssh_key"]
assert client.ssh_keys.get(key["fingerprint"])["ssh_key"]["id"] == key["id"]

order = {
    "region": "nyc3",
    "size": "s-2vcpu-4gb",
    "image": "debian-12-x64",
    "ssh_keys": [key["id"]],
    "tags": ["client:python"],
}
created = client.droplets.create(body={"name": "python-1", **order})
droplet = created["droplet"]
action = created["links"]["actions"][0]["id"]
until("the creation", lambda: client.actions.get(action)["action"]["status"] == "completed")


def address():
    networks = client.droplets.get(droplet["id"])["droplet"]["networks"]["v4"]
    return [network["ip_address"] for network in networks if network["type"] == "public"]


until("an address", address)
many = client.droplets.create(body={"names": [f"many-{number}" for number in range(10)], **order})["droplets"]
assert len(many) == 10, many
try_again = client.droplets.create(body={"name": "python-1", **order})["droplet"]
assert try_again["id"] != droplet["id"], "names are free"
refused(422, lambda: client.droplets.create(body={"name": "x", **order, "size": "no-such-size"}))

pages, page = [], 1
while True:
    answer = client.droplets.list(tag_name="client:python", per_page=5, page=page)
    pages += [found["id"] for found in answer["droplets"]]
    if "next" not in answer["links"].get("pages", {}):
        break
    page += 1
assert len(pages) == len(set(pages)) == answer["meta"]["total"] == 12, pages

off = client.droplet_actions.post(droplet["id"], body={"type": "power_off"})["action"]["id"]
until("switching off", lambda: client.actions.get(off)["action"]["status"] == "completed")
assert client.droplets.get(droplet["id"])["droplet"]["status"] == "off"
client.tags.create(body={"name": "extra"})
resources = {"resources": [{"resource_id": str(droplet["id"]), "resource_type": "droplet"}]}
client.tags.assign_resources("extra", body=resources)
assert "extra" in client.droplets.get(droplet["id"])["droplet"]["tags"]
client.tags.unassign_resources("extra", body=resources)
assert "extra" not in client.droplets.get(droplet["id"])["droplet"]["tags"]

for found in pages:
    client.droplets.destroy(found)
until("an empty list", lambda: client.droplets.list(tag_name="client:python")["droplets"] == [])
print("ok: digitalocean")
