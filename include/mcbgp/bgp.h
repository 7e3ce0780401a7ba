/* SPDX-License-Identifier: BSD-2-Clause */
/* bgp.h - numbers that IANA and the RFCs assign, for daemon, client and tests. */
#ifndef MCBGP_BGP_H
#define MCBGP_BGP_H

#define BGP_VERSION       4
#define BGP_PORT          179
#define BGP_AS_TRANS      23456u /* RFC 6793 */
#define BGP_MARKER_LEN    16     /* RFC 4271 4.1; the length field follows it */
#define BGP_HEADER_LEN    19     /* RFC 4271 4.1 */
#define BGP_MAX_LEN       4096   /* RFC 4271 4.1 */
#define BGP_MAX_LEN_EXT   65535  /* RFC 8654 */
#define BGP_MIN_HOLD_TIME 3      /* seconds, RFC 4271 4.2 */

enum bgp_msg { /* RFC 4271 4.1, RFC 2918 */
	       BGP_MSG_OPEN = 1,
	       BGP_MSG_UPDATE = 2,
	       BGP_MSG_NOTIFICATION = 3,
	       BGP_MSG_KEEPALIVE = 4,
	       BGP_MSG_ROUTE_REFRESH = 5,
};

enum bgp_afi { BGP_AFI_IPV4 = 1, BGP_AFI_IPV6 = 2 };
enum bgp_safi { BGP_SAFI_UNICAST = 1, BGP_SAFI_MULTICAST = 2 };

enum bgp_cap {                                /* RFC 5492 registry */
	       BGP_CAP_MULTIPROTOCOL = 1,     /* RFC 4760 */
	       BGP_CAP_ROUTE_REFRESH = 2,     /* RFC 2918 */
	       BGP_CAP_EXT_NEXT_HOP = 5,      /* RFC 8950 */
	       BGP_CAP_EXT_MESSAGE = 6,       /* RFC 8654 */
	       BGP_CAP_ROLE = 9,              /* RFC 9234 */
	       BGP_CAP_GRACEFUL_RESTART = 64, /* RFC 4724 */
	       BGP_CAP_AS4 = 65,              /* RFC 6793 */
	       BGP_CAP_ADD_PATH = 69,         /* RFC 7911 */
	       BGP_CAP_ENHANCED_REFRESH = 70, /* RFC 7313 */
	       BGP_CAP_LLGR = 71,             /* RFC 9494 */
	       BGP_CAP_FQDN = 73,
	       BGP_CAP_SOFTWARE = 75,
	       BGP_CAP_ROUTE_REFRESH_CISCO = 128,
};
#define BGP_OPT_CAPABILITIES 2   /* RFC 5492 4 */
#define BGP_OPT_EXTENDED     255 /* RFC 9072 */

enum bgp_attr {
	BGP_ATTR_ORIGIN = 1,
	BGP_ATTR_AS_PATH = 2,
	BGP_ATTR_NEXT_HOP = 3,
	BGP_ATTR_MED = 4,
	BGP_ATTR_LOCAL_PREF = 5,
	BGP_ATTR_ATOMIC_AGGREGATE = 6,
	BGP_ATTR_AGGREGATOR = 7,
	BGP_ATTR_COMMUNITIES = 8,        /* RFC 1997 */
	BGP_ATTR_ORIGINATOR_ID = 9,      /* RFC 4456 */
	BGP_ATTR_CLUSTER_LIST = 10,      /* RFC 4456 */
	BGP_ATTR_MP_REACH = 14,          /* RFC 4760 */
	BGP_ATTR_MP_UNREACH = 15,        /* RFC 4760 */
	BGP_ATTR_EXT_COMMUNITIES = 16,   /* RFC 4360 */
	BGP_ATTR_AS4_PATH = 17,          /* RFC 6793 */
	BGP_ATTR_AS4_AGGREGATOR = 18,    /* RFC 6793 */
	BGP_ATTR_LARGE_COMMUNITIES = 32, /* RFC 8092 */
	BGP_ATTR_OTC = 35,               /* RFC 9234 */
};

/* attribute flags, RFC 4271 4.3 */
#define BGP_FLAG_OPTIONAL   0x80
#define BGP_FLAG_TRANSITIVE 0x40
#define BGP_FLAG_PARTIAL    0x20
#define BGP_FLAG_EXTENDED   0x10

enum bgp_origin { BGP_ORIGIN_IGP = 0, BGP_ORIGIN_EGP = 1, BGP_ORIGIN_INCOMPLETE = 2 };
enum bgp_segment { BGP_AS_SET = 1, BGP_AS_SEQUENCE = 2, BGP_AS_CONFED_SEQUENCE = 3, BGP_AS_CONFED_SET = 4 };

/* well-known communities */
#define BGP_COMM_GRACEFUL_SHUTDOWN   0xffff0000u /* RFC 8326 */
#define BGP_COMM_LLGR_STALE          0xffff0006u /* RFC 9494 */
#define BGP_COMM_NO_LLGR             0xffff0007u /* RFC 9494 */
#define BGP_COMM_BLACKHOLE           0xffff029au /* RFC 7999 */
#define BGP_COMM_NO_EXPORT           0xffffff01u /* RFC 1997 */
#define BGP_COMM_NO_ADVERTISE        0xffffff02u
#define BGP_COMM_NO_EXPORT_SUBCONFED 0xffffff03u
#define BGP_COMM_NO_PEER             0xffffff04u /* RFC 3765 */

enum bgp_error { /* NOTIFICATION error codes, RFC 4271 4.5 */
	         BGP_ERR_HEADER = 1,
	         BGP_ERR_OPEN = 2,
	         BGP_ERR_UPDATE = 3,
	         BGP_ERR_HOLD_TIMER = 4,
	         BGP_ERR_FSM = 5,
	         BGP_ERR_CEASE = 6,
	         BGP_ERR_ROUTE_REFRESH = 7, /* RFC 7313 */
	         BGP_ERR_SEND_HOLD = 8,     /* RFC 9687 */
};
enum bgp_err_header { BGP_HDR_NOT_SYNC = 1, BGP_HDR_BAD_LENGTH = 2, BGP_HDR_BAD_TYPE = 3 };
enum bgp_err_open {
	BGP_OPEN_BAD_VERSION = 1,
	BGP_OPEN_BAD_PEER_AS = 2,
	BGP_OPEN_BAD_ID = 3,
	BGP_OPEN_BAD_PARAMETER = 4,
	BGP_OPEN_BAD_HOLD_TIME = 6,
	BGP_OPEN_BAD_CAPABILITY = 7, /* RFC 5492 */
	BGP_OPEN_ROLE_MISMATCH = 11, /* RFC 9234 */
};
enum bgp_err_update {
	BGP_UPD_MALFORMED_ATTRS = 1,
	BGP_UPD_UNKNOWN_WELLKNOWN = 2,
	BGP_UPD_MISSING_WELLKNOWN = 3,
	BGP_UPD_ATTR_FLAGS = 4,
	BGP_UPD_ATTR_LENGTH = 5,
	BGP_UPD_BAD_ORIGIN = 6,
	BGP_UPD_BAD_NEXT_HOP = 8,
	BGP_UPD_OPTIONAL_ATTR = 9,
	BGP_UPD_BAD_NETWORK = 10,
	BGP_UPD_BAD_AS_PATH = 11,
};
enum bgp_err_refresh { BGP_REFRESH_BAD_LENGTH = 1 }; /* RFC 7313 5 */
enum bgp_err_fsm {                                   /* RFC 6608 */
	           BGP_FSM_IN_OPENSENT = 1,
	           BGP_FSM_IN_OPENCONFIRM = 2,
	           BGP_FSM_IN_ESTABLISHED = 3,
};
enum bgp_err_cease { /* RFC 4486, RFC 8538, RFC 9384 */
	             BGP_CEASE_MAX_PREFIX = 1,
	             BGP_CEASE_ADMIN_SHUTDOWN = 2,
	             BGP_CEASE_PEER_DECONFIGURED = 3,
	             BGP_CEASE_ADMIN_RESET = 4,
	             BGP_CEASE_REJECTED = 5,
	             BGP_CEASE_CONFIG_CHANGE = 6,
	             BGP_CEASE_COLLISION = 7,
	             BGP_CEASE_OUT_OF_RESOURCES = 8,
	             BGP_CEASE_HARD_RESET = 9,
	             BGP_CEASE_BFD_DOWN = 10,
};

#endif
