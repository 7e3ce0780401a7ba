# SPDX-License-Identifier: BSD-2-Clause
"""The keys of JSON answers are a contract: each command's are listed here, with their types, and in mcbgpc(8)."""

import json
import os
import re

import pytest

from clusters import ROOT
from conftest import Lan
from lab import wait_until
from speaker import COMMUNITIES, LARGE, MED, Speaker, attribute

NUMBER = (int, float)

# A key with "?" may be absent: what is not known is left out. {"*": ...}: keys are names, of families or settings.
CAPABILITIES = {
    "families": [str], "route_refresh": bool, "enhanced_refresh": bool, "as4": bool, "extended_message": bool,
    "extended_next_hop": [str], "add_path_receive": [str], "add_path_send": [str], "graceful_restart": bool,
    "restart_time_s?": int, "long_lived_graceful_restart": bool, "long_lived_time_s?": {"*": int}, "role?": int,
    "hostname?": str, "software?": str}
PROTOCOL = {
    "name": str, "protocol": str, "table": str, "state": str, "since?": NUMBER, "description?": str, "bgp_state?": str,
    "neighbor_address?": str, "neighbor_range?": str, "neighbors?": int, "neighbor_as?": int, "local_as?": int,
    "last_error?": str, "last_attempt?": str, "policy_missing?": bool, "exported?": int}
PROTOCOL_ALL = {
    **PROTOCOL, "neighbor_port?": int, "neighbor_id?": str, "local_address?": str, "interface?": str, "passive?": bool,
    "last_error_at?": NUMBER, "last_attempt_at?": NUMBER, "sessions_ended?": int, "stale_until?": NUMBER,
    "refused_until?": NUMBER, "updates_treated_as_withdraw?": int, "updates_with_attributes_discarded?": int,
    "md5_dropped?": {"wrong": int, "missing": int, "unexpected": int},
    "local_capabilities?": CAPABILITIES, "neighbor_capabilities?": CAPABILITIES, "session?": str,
    "negotiated_families?": [str],
    "timers?": {"hold_s": int, "hold_left_s?": NUMBER, "keepalive_s": int, "keepalive_left_s?": NUMBER,
                "connect_retry_s": int, "connect_retry_left_s?": NUMBER},
    "import?": str, "export?": str, "max_prefix?": int, "max_prefix_action?": str,
    "routes?": {"*": {"received": int, "accepted": int, "filtered": int, "preferred": int, "exported": int,
                      "import_updates": int, "import_withdraws": int, "import_rejected": int, "import_filtered": int,
                      "import_ignored": int, "export_updates": int, "export_withdraws": int, "export_rejected": int,
                      "export_filtered": int, "export_accepted": int}}}
ATTRIBUTES = {
    "origin?": str, "as_path?": str, "next_hop?": str, "next_hop_link_local?": str, "med?": int, "local_pref?": int,
    "atomic_aggregate?": bool, "aggregator_as?": int, "aggregator_id?": str, "originator_id?": str, "cluster_list?": [str],
    "communities?": [str], "ext_communities?": [str], "large_communities?": [str], "otc?": int}
ROUTE = {
    "prefix": str, "table": str, "type": str, "protocol": str, "from?": str, "since": NUMBER, "best": bool,
    "multipath": bool, "usable": bool, "stale": bool, "preference": int, "path_id?": int, "next_hop?": str,
    "gateway?": str, "interface?": str, "refused?": str, "import_filter?": str, "import_term?": int, "not_usable?": str,
    "lost_by?": str, "lost_to?": str, "won_by?": str, "won_over?": str, "not_exported?": str, "export_filter?": str,
    "export_term?": int, "kernel?": str, "kernel_error?": str, "attributes?": ATTRIBUTES}
RESULT = {"code": int, "text": str}
NOTE = {"name?": str, "code": int, "text": str}

CONTRACT = {
    "show status": {"status": {
        "version": str, "hostname": str, "configuration": str, "router_id": str, "as": int, "state": str, "now": NUMBER,
        "started": NUMBER, "configured": NUMBER, "undone_in_s?": NUMBER, "nexthop_objects": bool, "recovering": bool,
        "kernel_routes": {"installed": int, "queued": int, "failed": int, "put_back": int, "resyncs": int,
                          "refused": {"*": int}},
        "kernel_audits": {"completed": int, "differences": int, "last?": NUMBER}}, "result": RESULT},
    "show protocols": {"protocols": [PROTOCOL]},
    "show protocols all": {"protocols": [PROTOCOL_ALL]},
    "show route": {"routes": [ROUTE]},
    "show route all": {"routes": [ROUTE]},
    "show route filtered": {"routes": [ROUTE]},
    "show route export receiver all": {"routes": [ROUTE]},
    "show route noexport receiver all": {"routes": [ROUTE]},
    "show route table fib": {"routes": [ROUTE]},
    "show route where med = 50": {"routes": [ROUTE]},
    "show route count": {"counts": [{"table": str, "shown": int, "routes": int, "networks": int}], "result": RESULT},
    "show tunnels": {"tunnels": [{
        "name": str, "type": str, "state": str, "error?": str, "since?": NUMBER, "local?": str, "remote?": str,
        "remotes": [str], "vni?": int, "port?": int, "mtu": int, "ifindex": int, "rx_bytes": int, "tx_bytes": int,
        "rx_packets": int, "tx_packets": int, "addresses": [str], "public_key?": str, "listen_port?": int,
        "peers?": [{"public_key": str, "endpoint?": str, "endpoint_port": int, "handshake?": NUMBER, "rx_bytes": int,
                    "tx_bytes": int, "allowed_ips": int}]}]},
    "show interfaces": {"interfaces": [{
        "name": str, "kind?": str, "ifindex": int, "mtu": int, "up": bool, "admin_up": bool, "ours": bool,
        "addresses": [str]}]},
    "show neighbors": {"neighbors": [{
        "next_hop": str, "neighbor?": str, "interface?": str, "state": str, "address?": str, "dead": bool}]},
    "show bfd sessions": {"bfd_sessions": []},
    "show memory": {"memory": [{"what": str, "bytes": int, "objects": int}]},
    "show filters": {"filters": [{
        "name": str, "terms": [{"match": {"*": [str]}, "set": {"*": [str]}, "action": str}]}]},
    "test filter pick 10.0.0.0/8 med 7": {"evaluation": {
        "filter": str, "prefix": str, "verdict": str, "term?": int, "matched": [int], "attributes?": ATTRIBUTES,
        "next_hop_self?": bool, "weight?": int}},
    "help": {"commands": [{"words": str, "arguments?": str, "help": str}]},
    'complete "show "': {"completions": [{"word": str, "help?": str}]},
    "configure check": {"notes": [{**NOTE, "kind?": str, "setting?": str, "from?": str, "to?": str, "effect?": str}],
                        "result": RESULT},
    "enable receiver": {"notes": [NOTE]},
    "log level debug": {"result": RESULT},
    "disable nobody": {"error": RESULT},
    "nonsense": {"error": RESULT},
}

MORE = """
tunnels = ( { name = "vx1"; type = "vxlan"; vni = 7; local = "10.0.9.1"; remote = "10.0.9.2"; mtu = 1400;
              addresses = [ "172.30.0.1/24" ]; } );
prefix_sets = { unwanted = [ "192.0.2.0/24" ]; };
filters = {
  pick = ( { match = { prefix = [ "unwanted" ]; }; action = "reject"; },
           { match = { source = [ "bgp", "static" ]; }; set = { local_pref = 300; add_community = [ "65000:7" ]; };
             action = "accept"; } );
  give = ( { match = { community = [ "65000:*" ]; }; action = "accept"; } );
};
static = ( { prefix = "10.66.0.0/18"; blackhole = true; } );
"""
PEERS = """
  { name = "receiver"; address = "10.0.0.200"; remote_as = 65002; group = "lan"; import = "pick"; export = "give"; },
  { name = "gone"; address = "10.0.9.9"; remote_as = 65009; connect_retry = 1; import = "all"; export = "all"; },
  { name = "lan"; range = "10.0.0.0/24"; remote_as = 65001; group = "lan"; import = "pick"; max_prefix = 100; }
"""


@pytest.fixture(scope="module")
def described():
    from lab import Lab
    with Lab() as lab:
        lan = Lan(lab, PEERS, MORE)
        lan.gateway.start()
        with Speaker(lan.lan, "10.0.0.5", 65001).dial(lan.ADDRESS).establish(hold_time=0) as one, \
                Speaker(lan.lan, "10.0.0.200", 65002).dial(lan.ADDRESS).establish(hold_time=90) as two:
            one.announce("100.64.0.0/24", "100.64.1.0/24", "192.0.2.0/24", med=attribute(MED, bytes([0, 0, 0, 50])),
                         communities=attribute(COMMUNITIES, bytes([0xfd, 0xe8, 0, 1])),
                         large_communities=attribute(LARGE, bytes(11) + b"\1"))
            two.announce("100.64.0.0/24", as_path=attribute(2, two.path(65002, 65009)))
            wait_until(lambda: "4 of" in lan.gateway.ask("show route count table master4").text, 20, "all routes")
            yield lan.gateway
        wrong = lab.finish()
        assert not wrong, "\n".join(wrong)


def check(value, wanted, where):
    if isinstance(wanted, dict):
        assert isinstance(value, dict), f"{where}: {value!r}"
        if "*" in wanted:
            for key, element in value.items():
                check(element, wanted["*"], f"{where}.{key}")
            return
        known = {key.rstrip("?"): key for key in wanted}
        assert set(value) <= set(known), f"{where}: not in the contract: {set(value) - set(known)}"
        missing = {key for key in wanted if not key.endswith("?")} - set(value)
        assert not missing, f"{where}: missing: {missing}"
        for key, element in value.items():
            check(element, wanted[known[key]], f"{where}.{key}")
    elif isinstance(wanted, list):
        assert isinstance(value, list), f"{where}: {value!r}"
        assert wanted or not value, f"{where}: {value!r}"
        for i, element in enumerate(value):
            check(element, wanted[0], f"{where}[{i}]")
    else:
        assert isinstance(value, wanted), f"{where}: {value!r}"
        assert wanted is bool or not isinstance(value, bool), f"{where}: {value!r}"


@pytest.mark.parametrize("command", CONTRACT)
def test_keys_and_types(described, command):
    words = [command] if command.startswith("complete") else command.split()
    done = described.mcbgpc("--json", *(["complete", "show "] if command.startswith("complete") else words))
    contract = CONTRACT[command]
    assert done.returncode == ("error" in contract), done.stderr
    document = json.loads(done.stdout)
    check(document, {key + ("?" if key == "result" and len(contract) > 1 else ""): value
                     for key, value in contract.items()}, command)
    for key, value in document.items():
        assert value or contract[key] == [], f"{key} is empty: nothing was checked"


def keys_of(contract):
    for key, value in contract.items() if isinstance(contract, dict) else ():
        if key != "*":
            yield key.rstrip("?")
        yield from keys_of(value[0] if isinstance(value, list) and value else value)


def test_manual_names_every_key():
    with open(os.path.join(ROOT, "man/mcbgpc.8")) as page:
        section = re.search(r"^\.Sh JSON\n(.*?)^\.Sh ", page.read(), re.M | re.S)[1]
    named = set(re.findall(r"[a-z_0-9]+", section))
    wanted = {key for contract in CONTRACT.values() for key in keys_of(contract)}
    assert len(wanted) > 100 and not wanted - named


def test_every_explanation_is_there(described):
    def routes(question):
        return json.loads(described.mcbgpc("--json", "show", "route", *question.split()).stdout)["routes"]

    best, other = routes("100.64.0.0/24 all")
    assert (best["best"], best["import_filter"], best["import_term"]) == (True, "pick", 2)
    assert (best["won_by"], best["won_over"], best["kernel"]) == ("AS path length", "receiver", "installed")
    assert (other["best"], other["lost_by"], other["lost_to"]) == (False, "AS path length", best["protocol"])
    refused, = routes("filtered")
    assert (refused["prefix"], refused["import_filter"], refused["import_term"]) == ("192.0.2.0/24", "pick", 1)
    sent, = routes("export receiver 100.64.1.0/24")
    assert (sent["export_filter"], sent["export_term"]) == ("give", 1)
    kept, = routes("noexport receiver 10.66.0.0/18")
    assert "no term of the export filter" in kept["not_exported"]
