#include "flow/reaction.h"

#include "base/err.h"
#include "base/scope.h"

/* What is the video's own fault will be so again; anything else may pass. */
static int
is_final(int result)
{
	switch ((enum err_code)result) {
	case ERR_INVALID:
	case ERR_DENIED:
	case ERR_NOT_FOUND:
	case ERR_TOO_LARGE:
	case ERR_CORRUPT:
		return 1;
	case ERR_OK:
	case ERR_CONFLICT:
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
	case ERR_NO_MEMORY:
	case ERR_INTERNAL:
		return 0;
	}
	return 0;
}

enum reaction
reaction_to(int result, int attempt, int server_lost)
{
	if (result == 0)
		return REACTION_DONE;
	if (server_lost)
		return REACTION_HAND_BACK;
	if (is_final(result) || attempt >= REACTION_ATTEMPTS_MAX)
		return REACTION_FAIL;
	return REACTION_RETRY;
}

int64_t
reaction_delay_ms(int attempt)
{
	static const int64_t delays[] = { 5000, 30000, 120000, 600000 };
	int last = (int)ARRAY_LEN(delays);

	if (attempt < 1)
		attempt = 1;
	return delays[(attempt > last ? last : attempt) - 1];
}
