#include "base/machine/memory_limit.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "max" is no number: none. */
static int64_t
memory_read_bytes(const char *path)
{
	FILE *file = fopen(path, "re");
	long long bytes = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lld", &bytes) != 1)
		bytes = 0;
	(void)fclose(file);
	return bytes;
}

static int64_t
memory_lower(int64_t a, int64_t b)
{
	if (a <= 0 || b <= 0)
		return a > 0 ? a : b > 0 ? b : 0;
	return a < b ? a : b;
}

/* From the group upwards. A container may see its own group as the mount's root while its path is
 * told from the machine's: folders that are not there say nothing. */
static int64_t
memory_lowest(const char *root, const char *hierarchy, const char *group, const char *name)
{
	char path[PATH_MAX], folder[PATH_MAX];
	int64_t limit = 0;
	char *slash;

	(void)snprintf(folder, sizeof folder, "%s", strstr(group, "..") ? "" : group);
	for (;;) {
		if (snprintf(path, sizeof path, "%s%s%s/%s", root, hierarchy, folder, name) <
		    (int)sizeof path)
			limit = memory_lower(limit, memory_read_bytes(path));
		if (!(slash = strrchr(folder, '/')))
			return limit;
		*slash = '\0';
	}
}

static bool
memory_names_memory(const char *controllers)
{
	const char *at = strstr(controllers, "memory");

	return at && (at == controllers || at[-1] == ',') && (at[6] == '\0' || at[6] == ',');
}

int64_t
memory_limit_of(const char *root, const char *membership)
{
	char line[PATH_MAX + 256], controllers[128], group[PATH_MAX];
	FILE *file = fopen(membership, "re");
	int64_t limit = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof line, file)) {
		/* "0::/a/b" (v2), "4:memory:/a/b" (v1) */
		_Static_assert(PATH_MAX == 4096, "the width below");
		if (sscanf(line, "0::%4095[^\n]", group) == 1)
			limit = memory_lower(limit, memory_lowest(root, "", group, "memory.max"));
		else if (sscanf(line, "%*d:%127[^:]:%4095[^\n]", controllers, group) == 2 &&
			 memory_names_memory(controllers))
			limit = memory_lower(limit, memory_lowest(root, "/memory", group,
								  "memory.limit_in_bytes"));
	}
	(void)fclose(file);
	return limit;
}

int64_t
memory_limit(void)
{
	int64_t machine = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);

	return memory_lower(machine, memory_limit_of("/sys/fs/cgroup", "/proc/self/cgroup"));
}
