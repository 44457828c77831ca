/* Scope-bound cleanup, ownership moves and containers. SCOPED variables start NULL, are declared
 * in the order they are acquired and close in reverse. TAKE moves ownership out, as the last act
 * of a function. Never SCOPED and goto in one function. */
#ifndef TONEARM_BASE_SCOPE_H
#define TONEARM_BASE_SCOPE_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SCOPED(fn) __attribute__((cleanup(fn)))
#define SCOPED_FREE SCOPED(scope_free)

/* Defines name##_p(type **) for SCOPED, which calls name(type *); name must accept NULL. */
#define SCOPE_DEFINE(type, name)                                                                   \
	static inline void name##_p(type **p)                                                      \
	{                                                                                          \
		name(*p);                                                                          \
	}

#define TAKE(p)                                                                                    \
	__extension__({                                                                            \
		__typeof__(p) take_value_ = (p);                                                   \
		(p) = NULL;                                                                        \
		take_value_;                                                                       \
	})

#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline void
scope_free(void *pointer_to_pointer)
{
	void *p;

	memcpy(&p, pointer_to_pointer, sizeof p);
	free(p);
}

#endif
