# SPDX-License-Identifier: BSD-2-Clause
"""Key files and the user that the daemon becomes: who may read them, and what a reload says of one it may not."""

import os
import pwd
import shutil

import pytest
import wireguard
from clusters import Gateway
from lab import veth, wait_until

USER = "mcbgpd"


@pytest.fixture(scope="module")
def user():
    """The package's user, in this machine that nobody else sees."""
    with open("/etc/passwd", "a") as users, open("/etc/group", "a") as groups:
        users.write(f"{USER}:x:64179:64179::/nonexistent:/usr/sbin/nologin\n")
        groups.write(f"{USER}:x:64179:\n")
    yield pwd.getpwnam(USER)
    for path in ("/etc/passwd", "/etc/group"):
        with open(path) as file:
            lines = [line for line in file if not line.startswith(USER + ":")]
        with open(path, "w") as file:
            file.writelines(lines)


@pytest.fixture
def gateway(lab, user):
    box = lab.namespace("keys")
    veth(box, "wan0", lab.namespace("far"), "wan0")
    os.chown(lab.dir, user.pw_uid, user.pw_gid)     # the socket's folder
    gateway = Gateway(lab, "keys", box)
    gateway.user = user
    return gateway


def conf(path):
    return f"""router = {{ id = "172.16.1.1"; as = 65001; }};
tunnels = ( {{ name = "wg0"; type = "wireguard"; private_key_file = "{path}"; addresses = [ "172.16.1.1/24" ]; }} );"""


def key(gateway, name, owner, group=0, mode=0o600):
    """As the administrator may leave it, whatever mcbgpd --genkey would have done."""
    path, public = wireguard.key(gateway.lab, name)
    os.chown(path, owner, group)
    os.chmod(path, mode)
    return path, public


def runs_as(gateway):
    with open(f"/proc/{gateway.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("Uid:"))


def public_key(gateway):
    return wireguard.device(gateway.namespace, "wg0")["public"]


def test_genkey_gives_the_key_to_the_user(gateway):
    path, _ = wireguard.key(gateway.lab, "made")
    assert os.stat(path).st_uid == gateway.user.pw_uid


def test_daemon_stays_root_for_keys_of_root_and_says_why(gateway):
    path, public = key(gateway, "roots", 0)
    gateway.configure(conf(path))
    gateway.start()
    assert runs_as(gateway) == 0
    assert 'event=sandbox.root user=mcbgpd cause="it cannot read a file of keys or a password"' in gateway.process.log()
    assert public_key(gateway) == public


def test_key_of_root_that_comes_later_is_refused_in_words_until_it_is_given(gateway):
    mine, public = key(gateway, "mine", gateway.user.pw_uid)
    roots, other = key(gateway, "roots", 0)
    gateway.configure(conf(mine))
    gateway.start()
    assert runs_as(gateway) == gateway.user.pw_uid
    assert public_key(gateway) == public
    gateway.configure(conf(roots))
    gateway.reload()
    words = f"its private_key_file {roots} may not be read by the user that mcbgpd runs as: chown it to that user"
    wait_until(lambda: words in gateway.ask("show tunnels").text, 20, words)
    assert public_key(gateway) == public, "the tunnel was to go on with the key it has"
    shutil.chown(roots, USER)
    gateway.reload()
    wait_until(lambda: public_key(gateway) == other, 20, "the new key")
    assert "chown" not in gateway.ask("show tunnels").text


def test_key_that_the_group_may_read_is_refused(gateway):
    """Who is in it may use the socket, and would have the key."""
    path, _ = key(gateway, "shared", 0, gateway.user.pw_gid, 0o640)
    gateway.configure(conf(path))
    gateway.start()
    wait_until(lambda: "can be read or written by others: chmod 600 it" in gateway.ask("show tunnels").text, 20, "the refusal")
