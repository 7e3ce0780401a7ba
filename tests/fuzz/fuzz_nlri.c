/* SPDX-License-Identifier: BSD-2-Clause */
/* NLRI: a run that was checked yields as many prefixes as were counted, and each is written as it was read.
 */
#include <assert.h>
#include <string.h>

#include "bgp/nlri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/** The first byte says how to read the rest: family, ADD-PATH. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct nlri_run run;
	struct nlri n, again;
	unsigned count, seen = 0;

	if (!len)
		return 0;
	run = (struct nlri_run){ data[0] % (FAM_COUNT + 1), data[0] & 0x80, rd_init(data + 1, len - 1) };
	if (!nlri_check(&run, &count))
		return 0;
	while (nlri_next(&run, &n)) {
		uint8_t buf[32];
		struct writer w = wr_init(buf, sizeof(buf));
		struct nlri_run one;

		nlri_put(&w, &n.prefix, run.add_path, n.path_id);
		assert(!w.bad && (size_t)(w.p - buf) == nlri_size(&n.prefix, run.add_path));
		one = (struct nlri_run){ run.family, run.add_path, rd_init(buf, (size_t)(w.p - buf)) };
		assert(nlri_next(&one, &again));
		assert(prefix_equal(&n.prefix, &again.prefix) && n.path_id == again.path_id);
		seen++;
	}
	assert(seen == count);
	return 0;
}
