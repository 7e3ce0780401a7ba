/* SPDX-License-Identifier: BSD-2-Clause */
/* refresh.h - ROUTE-REFRESH (RFC 2918) and its enhanced subtypes (RFC 7313). Pure. */
#ifndef MCBGP_BGP_REFRESH_H
#define MCBGP_BGP_REFRESH_H

#include "bgp/nlri.h"
#include "bgp/notify.h"

enum refresh_subtype { REFRESH_REQUEST = 0, REFRESH_BEGIN = 1, REFRESH_END = 2 };

struct refresh {
	enum family family; /* FAM_COUNT: not one we speak, to be ignored */
	uint8_t subtype;    /* enum refresh_subtype; others are to be ignored (RFC 7313 5) */
};

/** false: wrong length, @why is set (RFC 7313 5: ROUTE-REFRESH Message Error / Invalid Message Length). */
bool refresh_decode(struct reader body, struct refresh *out, struct notify *why);
void refresh_encode(struct writer *w, enum family f, uint8_t subtype); /* whole message */

#endif
