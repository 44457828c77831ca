/* Fuzz target: JSON from queues and tokens. The first byte says which reader; what was read must
 * survive being written and read again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text/str.h"
#include "wire/claims_json.h"
#include "wire/dead_json.h"
#include "wire/job_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_message(const char *bytes, size_t len, enum job_message_kind kind)
{
	SCOPED(str_free) struct str text = STR_MAX(65536);
	struct job_message m, again;

	memset(&m, 0, sizeof m);
	memset(&again, 0, sizeof again);
	if (job_message_read(bytes, len, kind, &m, NULL) < 0)
		return;
	if (m.username[0] == '\0' || !utf8_valid(m.username, strlen(m.username)) ||
	    job_message_write(&m, &text, NULL) < 0 ||
	    job_message_read(str_text(&text), text.len, kind, &again, NULL) < 0 ||
	    strcmp(m.username, again.username) != 0 ||
	    !blob_id_equal(&m.video_fid, &again.video_fid) ||
	    !blob_id_equal(&m.mp3_fid, &again.mp3_fid) ||
	    strcmp(m.error.code, again.error.code) != 0 ||
	    strcmp(m.error.message, again.error.message) != 0)
		abort();
}

static void
check_claims(const char *bytes, size_t len)
{
	SCOPED(str_free) struct str text = STR_MAX(65536);
	struct claims c, again;

	if (claims_read(bytes, len, &c, NULL) < 0)
		return;
	if (c.username[0] == '\0' || claims_write(&c, &text, NULL) < 0 ||
	    claims_read(str_text(&text), text.len, &again, NULL) < 0 ||
	    strcmp(c.username, again.username) != 0 || c.exp != again.exp || c.iat != again.iat ||
	    c.admin != again.admin)
		abort();
}

static void
check_dead(const char *bytes, size_t len)
{
	SCOPED(str_free) struct str text = STR_MAX(1 << 20);
	struct dead_record record = {
		.id = "1", .queue = "video", .reason = bytes, .body = bytes, .len = len, .size = len
	};

	if (dead_record_write(&record, &text, NULL) < 0 || memchr(str_text(&text), '\n', text.len))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes;

	if (size < 1 || size > 70000 || (bytes = malloc(size)) == NULL)
		return 0;
	memcpy(bytes, data + 1, size - 1);
	bytes[size - 1] = '\0';
	if (data[0] % 5 < 3)
		check_message(bytes, size - 1, (enum job_message_kind)(data[0] % 5));
	else if (data[0] % 5 == 3)
		check_claims(bytes, size - 1);
	else
		check_dead(bytes, size - 1);
	free(bytes);
	return 0;
}
