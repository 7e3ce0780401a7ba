/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_ctl.c - request lines into the parser and every command. Properties: an answer ends, with one last
 * line and a code that is known, each line of it well-formed; a JSON request is answered by one document on
 * one line; an unknown request changes nothing. */
#include <jansson.h>
#include <stdlib.h>

#include "ctl/commands.h"
#include "unit/ctl/fake_daemon.h"

static struct fake_daemon daemon_;
static struct request request;

static void check_text(char *text)
{
	bool last = false;
	char *next;

	for (char *line = text; *line; line = next) {
		next = strchr(line, '\n');
		assert(next && !last);
		*next++ = '\0';
		if (line[0] == ' ')
			continue;
		assert(strspn(line, "0123456789") >= 4 && (line[4] == '-' || line[4] == ' '));
		last = line[4] == ' ';
	}
	assert(last);
}

static void check_json(const char *text, size_t len)
{
	json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

	assert(json_is_object(doc) && strchr(text, '\n') == text + len - 1);
	json_decref(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char line[CTL_LINE_MAX];
	struct out out = { 0 };
	unsigned pieces = 0;
	bool more, json, monitored;

	if (!daemon_.rib)
		fake_daemon_init(&daemon_);
	daemon_.stopped = daemon_.node2_disabled = false;
	request.restricted = false;
	daemon_.act[0] = '\0';
	if (len >= sizeof(line))
		len = sizeof(line) - 1;
	for (size_t i = 0; i < len; i++)
		line[i] = data[i] && data[i] != '\n' ? (char)data[i] : '?'; /* as the server hands it over */
	line[len] = '\0';
	more = request_begin(&request, &daemon_.backend, line, &out);
	while (more) {
		assert(pieces++ < 1000);
		more = request_more(&request);
	}
	monitored = request.monitor.on;
	request_end(&request);
	assert(request.render.ended);
	assert(request.command || (!daemon_.stopped && !daemon_.act[0]));
	assert(!request.command || request.command->mutates || (!daemon_.stopped && !daemon_.act[0]));
	json = request.render.ops == &render_json;
	out_write(&out, "", 1);
	assert(!out.bad);
	if (json && !monitored) /* a document an event */
		check_json(out_head(&out), out.len - 1);
	else if (!json)
		check_text(out.buf + out.start);
	out_fini(&out);
	return 0;
}
