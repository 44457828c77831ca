#include "base/random.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

void
random_bytes(void *to, size_t len)
{
	uint8_t *p = to;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		/* Without the kernel's bytes no secret and no id would be safe: do not go on. */
		if (n < 0 && errno != EINTR)
			abort();
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

void
random_hex(char *ret_text, size_t digits)
{
	uint8_t bytes[32];
	size_t done = 0;

	while (done < digits) {
		size_t i;

		random_bytes(bytes, sizeof bytes);
		for (i = 0; i < sizeof bytes && done < digits; i++)
			ret_text[done++] = "0123456789abcdef"[bytes[i] & 15];
	}
	ret_text[done] = '\0';
}
