# SPDX-License-Identifier: BSD-2-Clause
"""A configuration that is wrong: named by file, line and path, with the mend; and nothing changes."""

import os
import re
import subprocess

import pytest

from clusters import MCBGPD, ROOT, Cluster, mcbgpd_conf
from conftest import Lan
from lab import stays, wait_until
from speaker import Speaker

GOOD = """router = {
  id = "192.0.2.1";
  as = 65000;
};
peers = (
  { name = "p"; address = "192.0.2.2"; remote_as = 65001; import = "all"; export = "all"; }
);
"""

# what is wrong: (text, line, path, words of the message)
WRONG = {
    "syntax": ('router = {\n  id = "192.0.2.1"\n  as = 65000;\n', 4, None, []),
    "no router": ("peers = ();\n", None, "router", []),
    "no id": ("router = {\n  as = 65000;\n};\n", None, "router.id", []),
    "no as": ('router = {\n  id = "192.0.2.1";\n};\n', None, "router.as", []),
    "unknown setting": (GOOD.replace("as = 65000;", "as = 65000;\n  hold_tme = 9;"), 4, "router.hold_tme", ["hold_time"]),
    "unknown section": (GOOD + "peer_group = {};\n", 8, "peer_group", ["peer_groups"]),
    "unknown peer setting": (GOOD.replace('export = "all";', 'export = "all"; nexthop_self = true;'), 6,
                             "peers[0].nexthop_self", ["next_hop_self"]),
    "id is no address": (GOOD.replace("192.0.2.1", "192.0.2"), 2, "router.id", []),
    "id 0.0.0.0": (GOOD.replace("192.0.2.1", "0.0.0.0"), 2, "router.id", []),
    "wrapped AS": (GOOD.replace("65000", "4200000001"), 3, "router.as", ["4200000001L"]),
    "AS 0": (GOOD.replace("65000", "0"), 3, "router.as", []),
    "AS is a word": (GOOD.replace("65000", '"many"'), 3, "router.as", []),
    "hold time 2": (GOOD.replace("remote_as", "hold_time = 2; remote_as"), 6, "hold_time", ["3"]),
    "hold time is a string": (GOOD.replace("remote_as", 'hold_time = "9"; remote_as'), 6, "hold_time", []),
    "port 0": (GOOD.replace("remote_as", "port = 0; remote_as"), 6, "port", ["65535"]),
    "peer without an address": (GOOD.replace('address = "192.0.2.2"; ', ""), 6, "peers[0]", ["address", "range"]),
    "peer without remote_as": (GOOD.replace("remote_as = 65001; ", ""), 6, "peers[0]", ["remote_as"]),
    "two peers of one name": (GOOD.replace("\n);", ',\n  { name = "p"; address = "192.0.2.3"; remote_as = 65001; }\n);'), 7,
                              "peers[1].name", []),
    "unknown group": (GOOD.replace("remote_as", 'group = "calcio"; remote_as'), 6, "group", ["calcio"]),
    "unknown filter": (GOOD.replace('import = "all"', 'import = "ecpm"'), 6, "import", ["ecpm"]),
    "unknown prefix set": (GOOD + 'filters = {\n  f = ( { match = { prefix = [ "podz" ]; }; action = "accept"; } );\n};\n', 9,
                           "filters.f[0].match.prefix", ["podz"]),
    "bad prefix pattern": (GOOD + 'prefix_sets = {\n  s = [ "10.0.0.0/8{30,20}" ];\n};\n', 9, "prefix_sets.s", []),
    "host bits in a prefix": (GOOD + 'prefix_sets = {\n  s = [ "10.0.0.1/8" ];\n};\n', 9, "prefix_sets.s", ["10.0.0.0/8"]),
    "bad action": (GOOD + 'filters = {\n  f = ( { action = "acept"; } );\n};\n', 9, "action", ["accept"]),
    "bad community": (GOOD + 'filters = {\n  f = ( { set = { add_community = [ "65000" ]; }; } );\n};\n', 9,
                      "add_community", []),
    "bad regular expression": (GOOD + 'filters = {\n  f = ( { match = { as_path = [ "(65" ]; }; } );\n};\n', 9, "as_path", []),
    "static that leads nowhere": (GOOD + 'static = (\n  { prefix = "10.0.0.0/8"; }\n);\n', 9, "static[0]", []),
    "vxlan without vni": (GOOD + 'tunnels = (\n  { name = "v"; type = "vxlan"; local = "192.0.2.1"; remote = "192.0.2.9"; }\n);\n',
                          9, "tunnels[0]", ["vni"]),
    "link name too long": (GOOD + 'tunnels = (\n  { name = "a-name-of-16-byt"; type = "vxlan"; vni = 1; local = "192.0.2.1";'
                           ' remote = "192.0.2.9"; }\n);\n', 9, "tunnels[0].name", ["15"]),
    "unknown tunnel type": (GOOD + 'tunnels = (\n  { name = "v"; type = "vlan"; }\n);\n', 9, "tunnels[0].type", ["vxlan"]),
    "wireguard without a key": (GOOD + 'tunnels = (\n  { name = "wg0"; type = "wireguard"; }\n);\n', 9,
                                "tunnels[0]", ["private_key_file"]),
    "bfd, not yet": (GOOD.replace("remote_as", "bfd = true; remote_as"), 6, "bfd", ["not built yet"]),
    "metrics, not yet": (GOOD + 'metrics = {\n  listen = "127.0.0.1:9179";\n};\n', None, "metrics", ["not built yet"]),
}


def check(path):
    return subprocess.run([MCBGPD, "-t", "-c", path], capture_output=True, text=True, timeout=20)


@pytest.fixture
def conf(tmp_path):
    def write(text):
        path = tmp_path / "mcbgpd.conf"
        path.write_text(text)
        return str(path)
    return write


def test_good_one_is_accepted(conf):
    done = check(conf(GOOD))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("index", (1, 2))
def test_the_demos_own_are_accepted(conf, index):
    clusters = [Cluster(1, 61113), Cluster(2, 61213)]
    clusters[0].other, clusters[1].other = clusters[1], clusters[0]
    done = check(conf(mcbgpd_conf(clusters[index - 1], peers='{ name = "n"; range = "192.168.0.0/16"; group = "calico"; }')))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("text,line,path,words", WRONG.values(), ids=WRONG.keys())
def test_wrong_one_is_refused_and_named(conf, text, line, path, words):
    file = conf(text)
    done = check(file)
    said = done.stderr + done.stdout
    assert done.returncode == 1, said
    found = re.findall(rf"^{re.escape(file)}:(\d+): (\S+?)?:? (.*)$", said, re.M)
    assert found, f"no FILE:LINE: path: text in {said!r}"
    matching = [f for f in found if (line is None or int(f[0]) == line) and (path is None or path in f[1])]
    assert matching, f"not line {line}, {path}: {said}"
    for word in words:
        assert any(word in f[1] + f[2] for f in matching), f"{word!r} not in {said}"


def test_every_error_is_told_not_the_first_alone(conf):
    done = check(conf(GOOD.replace("65000", "0").replace("65001", "0").replace('import = "all"', 'import = "x"')))
    assert done.returncode == 1
    assert len(re.findall(r"^\S+:\d+: ", done.stderr + done.stdout, re.M)) >= 3


def test_missing_file(tmp_path):
    done = check(str(tmp_path / "none.conf"))
    assert done.returncode == 1 and "none.conf" in done.stderr


@pytest.mark.parametrize("junk", (b"\0\0\0\0", b"\xff\xfe" * 100, b"{" * 20000, b"a=(" * 5000, b'x = "' + b"y" * 100000),
                         ids=("zeros", "bytes", "braces", "lists", "long string"))
def test_junk_is_refused(tmp_path, junk):
    path = tmp_path / "junk.conf"
    path.write_bytes(junk)
    assert check(str(path)).returncode == 1


def test_usage():
    assert subprocess.run([MCBGPD, "--no-such-option"], capture_output=True, timeout=20).returncode == 2
    version = subprocess.run([MCBGPD, "-V"], capture_output=True, text=True, timeout=20)
    assert version.returncode == 0 and "mcbgpd" in version.stdout


def test_daemon_refuses_a_wrong_file_at_start(lab):
    lan = Lan(lab)
    lan.gateway.configure("router = { id = 5; };\n")
    lan.gateway.start(wait=False)
    lan.gateway.process.orderly = False
    assert lan.gateway.process.wait() == 1
    assert "router" in lan.gateway.process.log()


def test_what_the_system_refuses_is_named(lab):
    """An address to listen on that the host does not have: named, as the system cannot give it."""
    lan = Lan(lab)
    lan.gateway.configure(lan.conf().replace('"0.0.0.0"', '"198.51.100.77"'))
    lan.gateway.start(wait=False)
    lan.gateway.process.orderly = False
    wait_until(lambda: "198.51.100.77" in lan.gateway.process.log(), 10, "the address is in the log")


# ---- reload ------------------------------------------------------------------------------------------------

@pytest.fixture
def running(lab):
    lan = Lan(lab)
    lan.gateway.start()
    with Speaker(lan.lan, "10.0.0.5", 65001).dial(lan.ADDRESS).establish() as peer:
        peer.announce("198.51.100.0/24")
        wait_until(lambda: lan.gateway.has_route("198.51.100.0/24"), 5, "a route to lose")
        lan.peer = peer
        yield lan


def unchanged(lan):
    return len(lan.gateway.established()) == 1 and lan.gateway.namespace.routes("exact", "198.51.100.0/24")


def test_bad_reload_changes_nothing(running):
    gateway = running.gateway
    gateway.configure(running.conf().replace("remote_as = 65001", "remote_as = 0"))
    reply = gateway.ask("configure")
    assert reply.code == 8002 and "remote_as" in reply.text and gateway.conf_path in reply.text
    reply = gateway.ask("configure check")
    assert reply.code == 8002
    gateway.reload()
    stays(lambda: unchanged(running), 2, "session and route stay")
    done = gateway.mcbgpc("configure")
    assert done.returncode == 1 and "remote_as" in done.stderr


def test_reload_of_the_same_file_resets_nothing(running):
    assert running.gateway.ask("configure check").code == 20
    assert running.gateway.ask("configure").code in (3, 4)
    stays(lambda: unchanged(running), 2, "session and route stay")


def test_reload_adds_and_removes_peers_and_statics(running):
    gateway = running.gateway
    more = '{ name = "new"; address = "10.0.0.99"; remote_as = 65009; group = "lan"; },'
    gateway.configure(running.conf(more + running.PEERS, 'static = ( { prefix = "100.64.0.0/24"; blackhole = true; } );'))
    assert gateway.ask("configure").code in (3, 4)
    wait_until(lambda: "new" in gateway.protocols(), 5, "the new peer")
    wait_until(lambda: gateway.namespace.routes("exact", "100.64.0.0/24"), 5, "the new static route")
    gateway.configure(running.conf())
    gateway.reload()
    wait_until(lambda: "new" not in gateway.protocols(), 5, "the peer is gone again")
    wait_until(lambda: not gateway.namespace.routes("exact", "100.64.0.0/24"), 5, "and the route")
    assert unchanged(running)


def test_reload_of_a_filter_re_evaluates_without_a_reset(running):
    gateway = running.gateway
    filters = 'filters = { none_of_it = ( { action = "reject"; } ); };'
    gateway.configure(running.conf(more=filters).replace('import = "all"', 'import = "none_of_it"'))
    assert gateway.ask("configure").code in (3, 4)
    wait_until(lambda: not gateway.namespace.routes("exact", "198.51.100.0/24"), 5, "the filter took it out")
    assert len(gateway.established()) == 1
    gateway.configure(running.conf())
    assert gateway.ask("configure").code in (3, 4)
    wait_until(lambda: unchanged(running), 5, "and the kept Adj-RIB-In brought it back")


def test_settings_that_wait_for_a_restart_are_named_until_then(running):
    gateway = running.gateway
    old = running.conf()
    table = old.replace('kernel = { export = "all"; };', 'kernel = { export = "all"; table = 100; };')
    gateway.configure(table + 'control = { group = "wheel"; };\n')
    for _ in range(2):  # a second time, too: what is in use has not changed
        reply = gateway.ask("configure")
        assert reply.code == 3
        assert "kernel.table: still 254: 100 needs a restart" in reply.text
        assert "control.group: still mcbgpd: wheel needs a restart" in reply.text
    gateway.configure(old)
    assert "restart" not in gateway.ask("configure").text


def test_a_route_kept_from_the_kernel_says_by_what(running):
    gateway = running.gateway
    route = 'static = ( { prefix = "100.64.0.0/24"; blackhole = true; } );\n'
    refused = 'filters = { none_of_it = ( { action = "reject"; } ); };\n'
    for export, why in (("none", "kernel.export is none"), ("none_of_it", "refused by filter none_of_it")):
        kernel = f'kernel = {{ export = "{export}"; }};'
        gateway.configure(refused + route + running.conf().replace('kernel = { export = "all"; };', kernel))
        assert gateway.ask("configure").code == 3
        wait_until(lambda: f"Kernel: absent, not exported: {why}" in gateway.ask("show route 100.64.0.0/24 all").text, 5,
                   "the reason")
    gateway.configure(running.conf())
    assert gateway.ask("configure").code == 3


def test_a_pipe_holds_nobody_up(running, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for command in ("configure check", "configure"):
        reply = running.gateway.ask(f'{command} "{tmp_path / "pipe"}"')
        assert reply.code == 8002 and "it is no regular file" in reply.text


def test_every_configuration_in_the_tree_is_accepted():
    found = [os.path.join(where, name) for where, _, names in os.walk(os.path.join(ROOT, "conf"))
             for name in names if name.endswith(".conf")]
    assert found
    for path in found:
        done = check(path)
        assert done.returncode == 0, done.stderr


def readme_blocks():
    """The configurations shown in README.md: what stands between fences and begins with a section."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
        fenced = re.findall(r"^```\n(.*?)^```", readme.read(), re.M | re.S)
    return [block for block in fenced if block.startswith("router = {")]


def test_readme_shows_a_configuration():
    assert readme_blocks()


@pytest.mark.parametrize("block", readme_blocks())
def test_configuration_of_the_readme_is_accepted(conf, block):
    done = check(conf(block))
    assert (done.returncode, done.stderr) == (0, "")


# ---- the manual's examples -----------------------------------------------------------------------------------

ROUTER = 'router = { id = "192.0.2.1"; as = 65000; };\n'
FILTERS = """prefix_sets = {{ pods = [ "10.0.0.0/8+" ]; services = [ "10.96.0.0/16" ]; }};
filters = {{ tunnel_export = ( {{ action = "accept"; }} ); {} }};
"""
PEER = {"name": '"node1"', "address": '"192.168.1.11"', "remote_as": "61012"}
TUNNEL = {"name": '"t0"', "type": '"vxlan"', "vni": "1", "remote": '"203.0.113.9"'}
GRE = {"name": '"t0"', "type": '"gre"', "remote": '"203.0.113.9"'}
WIREGUARD = {"name": '"t0"', "type": '"wireguard"', "private_key_file": '"/k"'}
WG_PEER = {"public_key": '"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="'}


def settings(usual, name, example, more=""):
    """A group with @example, and of what is usual the rest."""
    return "{ " + " ".join(f"{k} = {v};" for k, v in usual.items() if k != name) + f" {more} {example} }}"


def tunnel_of(name, example):
    if name in ("key", "ikey", "okey", "pmtudisc"):
        return settings(GRE, name, example)
    if name in ("private_key_file", "listen_port", "handshake_timeout", "fwmark", "rule_table", "peers"):
        return settings(WIREGUARD, name, example, "fwmark = 1;" if name == "rule_table" else "")
    return settings({k: v for k, v in TUNNEL.items() if (name, k) != ("remotes", "remote")}, name, example)


def static_of(name, example):
    usual = {"prefix": '"10.0.0.0/8"'} | ({"blackhole": "true"} if name == "prefix" else {})
    return settings(usual, name, example, 'next_hop = "192.0.2.9"; interface = "eth0";' if name == "onlink" else "")


def whole_file(section, name, example):
    """The smallest configuration in which @example may stand."""
    none = FILTERS.format("")
    peer = {k: v for k, v in PEER.items() if (name, k) != ("range", "address") and (name, k) != ("max_peers", "address")}
    more = {"max_peers": 'range = "192.168.1.0/24";', "max_prefix_action": "max_prefix = 5;"}.get(name, "")
    by_section = {
        "router": lambda: "router = " + settings({"id": '"192.0.2.1"', "as": "65000"}, name, example) + ";",
        "router.listen": lambda: ROUTER[:-4] + " listen = ( " + settings({"address": '"192.0.2.1"'}, name, example) + " ); };",
        "control": lambda: f"{ROUTER} control = " + settings({"readonly_socket": '"/r"'} if name == "readonly_group" else {},
                                                             name, example) + ";",
        "tunnels": lambda: f"{ROUTER} tunnels = ( {tunnel_of(name, example)} );",
        "tunnels.peers": lambda: f"{ROUTER} tunnels = ( " + settings(
            WIREGUARD, "", "peers = ( " + settings(WG_PEER, name, example, 'allowed_ips = "bgp";' if name == "tunnel_address"
                                                   else "") + " );") + " );",
        "filters": lambda: ROUTER + FILTERS.format(f"f = ( {{ {example} }} );"),
        "filters.match": lambda: ROUTER + FILTERS.format(f"f = ( {{ match = {{ {example} }}; }} );") +
        "peers = ( " + settings(PEER, "", "") + " );",
        "filters.set": lambda: ROUTER + FILTERS.format(f"f = ( {{ set = {{ {example} }}; }} );"),
        "peers": lambda: f"{ROUTER}{none} peer_groups = {{ calico = {{ }}; }}; peers = ( {settings(peer, name, example, more)} );",
        "peers.bfd": lambda: f"{ROUTER} peers = ( " + settings(PEER, "", f"bfd = {{ {example} }};") + " );",
        "static": lambda: f"{ROUTER} static = ( {static_of(name, example)} );",
    }
    return by_section.get(section, lambda: f"{ROUTER} {section} = {{ {example} }};")()


def manual_examples():
    """(section, setting, example) of all settings that are built."""
    with open(os.path.join(ROOT, "man/mcbgpd.conf.5"), encoding="utf-8") as page:
        sections = re.split(r"^\.Ss ", page.read(), flags=re.M)[1:]
    for section in sections:
        for entry in re.split(r"^\.It Ic ", section, flags=re.M)[1:]:
            if "\nValue: " in entry and "\nNot built yet." not in entry:
                found = re.search(r'^Example:\n\.Li "(.*)"$', entry, re.M)
                yield section.split("\n")[0], entry.split("\n")[0], found and found[1].replace(r"\(dq", '"')


def test_every_setting_has_an_example_in_the_manual_that_is_taken(conf):
    examples = list(manual_examples())
    assert len(examples) > 100
    wrong = []
    for section, name, example in examples:
        done = check(conf(whole_file(section, name, example))) if example else None
        if not done or done.returncode or not example.startswith(name + " = "):
            wrong.append((section, name, example, done and done.stderr))
    assert wrong == []
