#include "adapter/dir/private.h"

#include <errno.h>
#include <stdio.h>

struct dir_path
dir_path_of(const struct blob_dir *d, const struct blob_id *id, enum dir_file file)
{
	static const char *const endings[] = { "", ".part", ".meta" };
	struct dir_path path;

	(void)snprintf(path.text, sizeof path.text, "%s/%.4s/%.2s/%s%s", d->root, id->hex,
		       id->hex + 4, id->hex, endings[file]);
	return path;
}

int
dir_err(struct err *e, int errno_value, const char *what)
{
	switch (errno_value) {
	case ENOENT:
		return err_errno(e, ERR_NOT_FOUND, errno_value, what);
	case EEXIST:
		return err_errno(e, ERR_CONFLICT, errno_value, what);
	case ENOMEM:
		return err_errno(e, ERR_NO_MEMORY, errno_value, what);
	case EFBIG:
		return err_errno(e, ERR_TOO_LARGE, errno_value, what);
	default:
		return err_errno(e, ERR_UNAVAILABLE, errno_value, what);
	}
}
