/* SPDX-License-Identifier: BSD-2-Clause */
/* md5_drops.c - the file has pairs of lines: "TcpExt: NAME NAME ...", then "TcpExt: NUMBER NUMBER ...". */
#include "io/md5_drops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t *counter_of(struct md5_drops *d, const char *name)
{
	if (strcmp(name, "TCPMD5NotFound") == 0)
		return &d->missing;
	if (strcmp(name, "TCPMD5Unexpected") == 0)
		return &d->unexpected;
	return strcmp(name, "TCPMD5Failure") == 0 ? &d->wrong : NULL;
}

static void take_pair(struct md5_drops *d, char *names, char *numbers)
{
	char *at_name, *at_number;
	const char *name = strtok_r(names, " \n", &at_name);
	const char *number = strtok_r(numbers, " \n", &at_number);

	while (name && number) {
		uint64_t *counter = counter_of(d, name);

		if (counter)
			*counter = strtoull(number, NULL, 10);
		name = strtok_r(NULL, " \n", &at_name);
		number = strtok_r(NULL, " \n", &at_number);
	}
}

struct md5_drops md5_drops_read(const char *path)
{
	struct md5_drops d = { 0 };
	FILE *f = fopen(path, "re");
	char *names = NULL, *numbers = NULL;
	size_t names_size = 0, numbers_size = 0;

	if (!f)
		return d;
	while (getline(&names, &names_size, f) > 0 && getline(&numbers, &numbers_size, f) > 0)
		take_pair(&d, names, numbers);
	free(names);
	free(numbers);
	fclose(f);
	return d;
}
