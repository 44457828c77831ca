#include "wire/problem_json.h"

#include <jansson.h>

#include "base/scope.h"
#include "wire/json_text.h"

static int
set_text(json_t *root, const char *key, const char *text)
{
	return text == NULL ? 0 : json_object_set_new(root, key, json_text_new(text));
}

int
problem_write(int status, const char *code, const char *title, const char *detail, struct str *ret,
	      struct err *e)
{
	SCOPED(json_decref_p)
	json_t *root = json_pack("{s:s, s:i}", "type", "about:blank", "status", status);

	if (root == NULL || set_text(root, "title", title) < 0 ||
	    set_text(root, "code", code) < 0 || set_text(root, "detail", detail) < 0)
		return err_set(e, ERR_NO_MEMORY, "problem");
	return json_append(TAKE(root), JSON_COMPACT, ret, e);
}
