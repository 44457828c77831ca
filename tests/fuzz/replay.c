/* Replays a corpus through a fuzz target: for compilers without libFuzzer, and as an ordinary test.
 * replay FOLDER_OR_FILE... */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int files;

static void
replay_file(const char *path)
{
	static uint8_t bytes[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t len;

	if (file == NULL) {
		perror(path);
		exit(1);
	}
	len = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, len);
	files++;
}

static void
replay(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	char inside[4096];

	if (folder == NULL) {
		replay_file(path);
		return;
	}
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name) <
		    (int)sizeof inside)
			replay_file(inside);
	}
	closedir(folder);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("replayed %d files\n", files);
	return files > 0 ? 0 : 1;
}
