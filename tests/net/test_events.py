# SPDX-License-Identifier: BSD-2-Clause
"""Events of the log: mcbgpd-events(7) has each with its fields, and no other; none has a secret in it."""

import base64
import glob
import os
import re
import stat

import pytest
from clusters import ROOT, Gateway
from lab import wait_until
from speaker import Speaker

CALL = re.compile(r"\b(log_event|tunnel_told)\(")
EVENT = re.compile(r'"([a-z]+\.[a-z_0-9]+)"')
FIELD = re.compile(r'\bkv_\w+\(\s*"(\w+)"')


def calls():
    """(where, events, fields) of every call in the source that tells one."""
    for path in sorted(glob.glob(os.path.join(ROOT, "src/**/*.c"), recursive=True)):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for match in CALL.finditer(text):
            end, depth = match.end(), 1
            while depth:
                depth += {"(": 1, ")": -1}.get(text[end], 0)
                end += 1
            body = text[match.end():end - 1]
            fields = {"tunnel", "what"} if match[1] == "tunnel_told" else set(FIELD.findall(body))
            yield os.path.relpath(path, ROOT), EVENT.findall(body), fields


def told():
    """{event: fields} of the source."""
    found = {}
    for _, events, fields in calls():
        for event in events:
            found.setdefault(event, set()).update(fields)
    return found


def documented():
    with open(os.path.join(ROOT, "man/mcbgpd-events.7"), encoding="utf-8") as page:
        entries = re.split(r"^\.It Li ", page.read(), flags=re.M)[1:]
    found = {}
    for entry in entries:
        name, rest = entry.split("\n", 1)
        fields = re.search(r"^Fields: (.*)\.$", rest, re.M)
        found[name.strip()] = set(re.findall(r"\w+", fields[1])) if fields else set()
    return found


def test_the_manual_has_every_event_with_its_fields_and_no_other():
    source, manual = told(), documented()
    assert len(source) > 60
    assert {"not in mcbgpd-events(7)": sorted(set(source) - set(manual)), "not told": sorted(set(manual) - set(source))} == {
        "not in mcbgpd-events(7)": [], "not told": []}
    assert {name: (fields, manual[name]) for name, fields in source.items() if fields != manual[name]} == {}


def test_every_call_names_its_event():
    """A name that is put together elsewhere could not be looked for."""
    nameless = [where for where, events, _ in calls() if not events]
    assert set(nameless) <= {"src/tunnel/link.c"}       # what tunnel_told() itself tells, by its callers' names


PASSWORD = "correct-horse-battery-staple"
CONF = """
router = {{ id = "10.0.0.1"; as = 65000; listen = ( {{ address = "10.0.0.1"; }} ); }};
log = {{ level = "debug"; }};
tunnels = ( {{ name = "wg0"; type = "wireguard"; private_key_file = "{key}"; addresses = [ "10.8.0.1/24" ];
  peers = ( {{ public_key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="; preshared_key_file = "{psk}"; }} ); }} );
peers = ( {{ name = "signed"; address = "10.0.0.2"; remote_as = 65001; password_file = "{password}"; import = "all"; }},
          {{ name = "plain"; address = "10.0.0.3"; remote_as = 65001; passive = true; import = "all"; }} );
"""


@pytest.fixture
def secrets(lab):
    """Files with secrets, and what is in them."""
    texts = {"password": PASSWORD, "key": base64.b64encode(bytes(range(100, 132))).decode(),
             "psk": base64.b64encode(bytes(range(32, 64))).decode()}
    paths = {}
    for name, text in texts.items():
        paths[name] = lab.write(name, text + "\n")
        os.chmod(paths[name], stat.S_IRUSR | stat.S_IWUSR)
    return texts, paths


def test_no_secret_is_told_at_any_level(lab, secrets):
    texts, paths = secrets
    box, far = lab.namespace("gateway"), lab.namespace("far")
    from lab import veth
    veth(box, "eth0", far, "eth0")
    box.ip("addr add 10.0.0.1/24 dev eth0")
    far.ip("addr add 10.0.0.2/24 dev eth0", "addr add 10.0.0.3/24 dev eth0")
    gateway = Gateway(lab, "gateway", box, CONF.format(**paths))
    gateway.start()
    with Speaker(far, "10.0.0.3", 65001).dial("10.0.0.1").establish():
        wait_until(lambda: "plain" in gateway.established(), 20, "a session")
        gateway.reload()
        wait_until(lambda: gateway.process.log().count("config.applied") == 1, 20, "a reload")
        shown = "".join(gateway.ask(q).text for q in ("show protocols all", "show tunnels all", "show status"))
        lab.write("key", "not a key, but " + texts["key"] + "\n")
        lab.write("psk", texts["psk"][:20] + "\n")
        gateway.configure(CONF.format(**paths).replace("passive = true", "passive = false"))
        shown += gateway.ask("configure check").text + gateway.ask("configure").text + gateway.ask("show tunnels all").text
    assert gateway.stop() == 0
    log = gateway.process.log()
    assert "level=debug" in log and "peer=signed" in log
    for name, text in texts.items():
        assert text not in log + shown and text[:12] not in log + shown, name
