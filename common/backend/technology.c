#include "backend/private.h"

#include "base/text/str.h"

#define FORMS_MAX 200 /* bytes of all of them in a sentence */

static void
technology_unknown(const char *url, const struct technology *const *all, struct err *e)
{
	SCOPED(str_free) struct str forms = STR_MAX(FORMS_MAX);

	for (size_t i = 0; all[i]; i++)
		str_printf(&forms, "%s%s", i == 0 ? "" : all[i + 1] ? ", " : " or ", all[i]->form);
	(void)err_set(e, ERR_INVALID, "\"%.60s\" is not %s", url, str_text(&forms));
}

const struct technology *
technology_find(const char *url, const struct technology *const *all, struct err *e)
{
	for (size_t i = 0; all[i]; i++)
		if (strncmp(url, all[i]->scheme, strlen(all[i]->scheme)) == 0)
			return all[i];
	technology_unknown(url, all, e);
	return NULL;
}

int
technology_check(const char *url, const struct technology *const *all, struct err *e)
{
	const struct technology *found = technology_find(url, all, e);

	return found ? found->check(url + strlen(found->scheme), e) : ERR_INVALID;
}

int
technology_bare(const char *rest, struct err *e)
{
	return rest[0] == '\0' ? 0
			       : err_set(e, ERR_INVALID,
					 "nothing may stand behind the colon: \"%.60s\"", rest);
}
