/* SPDX-License-Identifier: BSD-2-Clause */
/* capability.h - the capabilities of an OPEN as they are on the wire (RFC 5492). Pure. */
#ifndef MCBGP_BGP_CAPABILITY_H
#define MCBGP_BGP_CAPABILITY_H

#include "bgp/open.h"

/** Read the capabilities of one optional parameter into @o, further ones to those of parameters before.
 * @return false: malformed. */
bool caps_decode(struct reader r, struct open *o);
void caps_drop_long_lived(struct caps *c);                /* as if RFC 9494's had not been there */
void caps_encode(struct writer *w, const struct open *o); /* ours, one behind the other */

#endif
