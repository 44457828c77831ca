/* Opening the file that a blob is written into. One writer at a time has it: a lock that ends with
 * its process tells, so that an upload goes on as soon as a killed one has let go of it. */
#include "adapter/dir/private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_MODE 0660 /* less the umask */
#define PART_TRIES 5   /* its folder or its name may go just before it is ours */
#define PART_AGAIN 1   /* of part_try: once more */

int
dir_part_check(int fd, const struct dir_path *part, struct err *e)
{
	struct stat own, named;

	if (fstat(fd, &own) == 0 && stat(part->text, &named) == 0 && own.st_ino == named.st_ino &&
	    own.st_dev == named.st_dev)
		return 0;
	return err_set(e, ERR_UNAVAILABLE, "the blob was cleared away");
}

/* Takes the lock and makes sure of the name: the file may have become a blob, or been cleared away.
 */
static int
part_lock(int fd, const struct dir_path *part, int64_t *ret_length, struct err *e)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? err_set(e, ERR_CONFLICT, "another writer of the blob is at work")
			       : dir_err(e, errno, part->text);
	if (dir_part_check(fd, part, NULL) < 0)
		return PART_AGAIN;
	if (fstat(fd, &st) < 0)
		return dir_err(e, errno, part->text);
	*ret_length = st.st_size;
	return 0;
}

static int
part_try(struct blob_dir *d, const struct blob_id *id, enum dir_part kind, int *ret_fd,
	 int64_t *ret_length, struct err *e)
{
	struct dir_path part = dir_path_of(d, id, DIR_PART), blob = dir_path_of(d, id, DIR_BLOB);
	int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, fd, r;

	if ((r = dir_shard_make(d, id, e)) < 0)
		return r;
	if (access(blob.text, F_OK) == 0)
		return err_set(e, ERR_CONFLICT, "%s is a blob", id->hex);
	fd = open(part.text, kind == DIR_PART_NEW ? flags | O_EXCL : flags, PART_MODE);
	if (fd < 0)
		return errno == ENOENT ? PART_AGAIN : dir_err(e, errno, part.text);
	r = part_lock(fd, &part, ret_length, e);
	/* a commit between the two questions: the name is a new file's, and nobody's */
	if (r == 0 && access(blob.text, F_OK) == 0) {
		(void)dir_unlink(&part, NULL);
		r = err_set(e, ERR_CONFLICT, "%s is a blob", id->hex);
	}
	if (r == 0)
		*ret_fd = fd;
	else
		(void)close(fd);
	return r;
}

int
dir_part_open(struct blob_dir *d, const struct blob_id *id, enum dir_part kind, int *ret_fd,
	      int64_t *ret_length, struct err *e)
{
	int r = PART_AGAIN;

	for (int i = 0; i < PART_TRIES && r == PART_AGAIN; i++)
		r = part_try(d, id, kind, ret_fd, ret_length, e);
	return r == PART_AGAIN ? err_set(e, ERR_UNAVAILABLE, "%s: goes again and again", d->root)
			       : r;
}
