"""Serves moto as strictly as it can be: images, key pairs and instance types have to exist, and the images
are those that Canonical and Debian publish, behind the same public parameters.

usage: server.py PORT-FILE
Listens on a free port of this machine, and writes its number into PORT-FILE.
"""
import json
import os
import socket
import sys
import tempfile

ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}
CANONICAL = "/aws/service/canonical/ubuntu/server/{}/stable/current/{}/hvm/ebs-{}/ami-id"
PUBLISHED = [
    ("099720109477", "/dev/sda1", lambda arch: CANONICAL.format("22.04", arch, "gp2")),
    ("099720109477", "/dev/sda1", lambda arch: CANONICAL.format("24.04", arch, "gp3")),
    ("136693071363", "/dev/xvda", lambda arch: f"/aws/service/debian/release/12/latest/{arch}"),
]

images, parameters = [], {}
for owner, device, path in PUBLISHED:
    for arch, machine in ARCHITECTURES.items():
        image = f"ami-{len(images) + 1:017x}"
        parameters[path(arch)] = image
        images.append(dict(
            ami_id=image, name=path(arch), description=path(arch), architecture=machine, owner_id=owner,
            image_location=path(arch), image_type="machine", public=True, state="available",
            platform=None, root_device_name=device, root_device_type="ebs", virtualization_type="hvm",
            hypervisor="xen", sriov="simple", creation_date="2026-08-01T00:00:00.000Z",
        ))

with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
    json.dump(images, file)
os.environ["MOTO_AMIS_PATH"] = file.name
for strictness in ("EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "ENABLE_KEYPAIR_VALIDATION", "ENABLE_AMI_VALIDATION"):
    os.environ[f"MOTO_{strictness}"] = "true"

from moto.core.utils import utcnow  # noqa: E402
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: E402
from moto.ssm import models  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

load = models.ParameterDict._check_loading_status


def load_published(self, key):
    load(self, key)
    if getattr(self, "_published", False):
        return
    self._published = True
    for name, value in parameters.items():
        parameter = models.Parameter(
            account_id=self.account_id, name=name, value=value, parameter_type="String", description=None,
            allowed_pattern=None, keyid=None, last_modified_date=utcnow(), version=1, data_type="aws:ec2:image",
        )
        dict.setdefault(self, name, []).append(parameter)


models.ParameterDict._check_loading_status = load_published

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
server = make_server("127.0.0.1", port, DomainDispatcherApplication(create_backend_app), threaded=True)
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(port))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
