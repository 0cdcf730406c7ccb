/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <string.h>

#include "base/text.h"
#include "report/event_flow.h"
#include "report/event_line.h"

/* The bytes as a finding of a worker: what is valid becomes a line that reads the same. */
static void write_and_read(const uint8_t *bytes, size_t size)
{
	struct finding finding = {0};
	struct finding_flow flow;
	json_t *event;
	char *line;

	memcpy(&finding, bytes, size < sizeof(finding) ? size : sizeof(finding));
	if (!finding_is_valid(&finding))
		return;
	event = event_of_finding(7, &finding);
	line = event_line(event);
	fuzz_require(event && line && strlen(line) < EVENT_LINE_LIMIT && !strchr(line, '\n'));
	fuzz_require(utf8_is_valid(line, strlen(line)));
	fuzz_require(event_line_id(line, strlen(line)) == 7 && event_line_is_finding(line));
	json_decref(event);
	event = event_parse(line, strlen(line));
	fuzz_require(event);
	fuzz_require(event_flow_read(event, &flow) == (finding.flow.way != WAY_NONE));
	fuzz_require(finding.flow.way == WAY_NONE ||
		     (flow.way == finding.flow.way && flow.protocol == finding.flow.protocol &&
		      ip_equal(&flow.remote, &finding.flow.remote)));
	json_decref(event);
	free(line);
}

/* The bytes as a line of a file that anybody may have written. */
static void read_and_write(const uint8_t *bytes, size_t size)
{
	uint64_t id = event_line_id((const char *)bytes, size);
	struct finding_flow flow;
	char text[FLOW_TEXT_SIZE];
	json_t *event = event_parse((const char *)bytes, size);
	char *line;

	fuzz_require(id < EVENT_ID_LIMIT);
	if (!event)
		return;
	if (event_flow_read(event, &flow))
		for (unsigned int kind = 0; kind < FINDING_KIND_COUNT; kind++)
			event_flow_text(kind, &flow, text);
	line = event_line(event);
	fuzz_require(line);
	free(line);
	json_decref(event);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	write_and_read(bytes, size);
	read_and_write(bytes, size);
	return 0;
}
