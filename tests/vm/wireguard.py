# SPDX-License-Identifier: BSD-2-Clause
"""Keys for the tests, and what the kernel's WireGuard says of itself."""

import os
import subprocess

from clusters import MCBGPD


def key(lab, name):
    """A key file made by mcbgpd itself.  Returns its path and the public key."""
    path = lab.path(name + ".key")
    public = subprocess.run([MCBGPD, "--genkey", path], capture_output=True, text=True, check=True).stdout.strip()
    assert os.stat(path).st_mode & 0o777 == 0o600
    return path, public


def psk(lab, name):
    secret = subprocess.run(["wg", "genpsk"], capture_output=True, text=True, check=True).stdout
    path = lab.write(name + ".psk", secret)
    os.chmod(path, 0o600)
    return path


def peers(namespace, device):
    """public key -> what `wg show DEVICE dump` has of the peer."""
    lines = namespace.run("wg", "show", device, "dump", check=True).stdout.splitlines()
    found = {}
    for line in lines[1:]:
        public, preshared, endpoint, allowed, handshake, _, _, keepalive = line.split("\t")
        found[public] = {
            "preshared": preshared,
            "endpoint": endpoint,
            "allowed": set() if allowed == "(none)" else set(allowed.split(",")),
            "handshake": int(handshake),
            "keepalive": keepalive,
        }
    return found


def device(namespace, name):
    private, public, port, mark = namespace.run("wg", "show", name, "dump", check=True).stdout.splitlines()[0].split("\t")
    return {"private": private, "public": public, "port": int(port), "fwmark": mark}
