# SPDX-License-Identifier: BSD-2-Clause
"""The other routing daemons, from Debian's packages: unpacked into a folder of their own, never installed, so that
none of them starts on this machine.  Only the libraries they need, and gnuplot, are installed."""

import os
import subprocess
import sys

from place import PEERS

DAEMONS = ["bird2", "frr", "openbgpd", "gobgpd"]
INSTALLED = ["gnuplot-nox", "iproute2", "libc-ares2", "libevent-2.1-7", "libjson-c5", "libreadline8",
             "libssh-gcrypt-4", "libyang2"]


def path(package, file):
    """Where @file of an unpacked package is."""
    return os.path.join(PEERS, package, file)


def version(package):
    """Of what was unpacked, Debian's revision cut off."""
    try:
        with open(path(package, "VERSION")) as file:
            return file.read().strip().split("-")[0]
    except OSError:
        return "?"


def _missing(packages):
    for package in packages:
        shown = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package],
                               capture_output=True, text=True).stdout
        if shown != "installed":
            yield package


def _apt(*argv):
    """A machine that has never seen a package list fetches one first."""
    command = ["apt-get", "-q", "-y", "-o", "APT::Sandbox::User=root", *argv]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.run(command, env=env, cwd=PEERS, capture_output=True).returncode == 0:
        return
    subprocess.run(["apt-get", "-q", "update"], capture_output=True)
    done = subprocess.run(command, env=env, cwd=PEERS, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: apt-get {' '.join(argv)} failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")


def _unpack(package):
    _apt("download", package)
    (archive,) = [name for name in os.listdir(PEERS) if name.startswith(package + "_") and name.endswith(".deb")]
    archive = os.path.join(PEERS, archive)
    subprocess.run(["dpkg", "-x", archive, os.path.join(PEERS, package)], check=True)
    found = subprocess.run(["dpkg-deb", "-f", archive, "Version"], capture_output=True, text=True, check=True).stdout
    with open(path(package, "VERSION"), "w") as file:
        file.write(found)
    os.unlink(archive)


def prepare():
    """Whatever is missing of it."""
    os.makedirs(PEERS, exist_ok=True)
    missing = list(_missing(INSTALLED))
    if missing:
        print("installing", *missing, flush=True)
        _apt("--no-install-recommends", "install", *missing)
    for package in DAEMONS:
        if not os.path.exists(path(package, "VERSION")):
            print("unpacking", package, flush=True)
            _unpack(package)
