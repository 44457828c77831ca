/* `converter dead`: the messages that no code could read. What is printed waits in memory until the
 * visit is over: a reader of ours that is slow must not cost the connection to the broker. */
#include <inttypes.h>
#include <string.h>

#include "base/text/str.h"
#include "converter/command.h"
#include "converter/config.h"
#include "wire/dead_json.h"

#define QUEUES 3
#define ID_MAX 32
#define REASON_COLUMNS 40
#define BODY_COLUMNS 48
#define JSON_MAX (16 * 1024 * 1024)
#define OUTPUT_MAX (64 * 1024 * 1024)
#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

struct pass;
typedef int (*told)(struct pass *, const struct dead_letter *, const char *id, struct err *e);

/* One command's way through the queues. */
struct pass {
	const struct command_options *options;
	told tell; /* of each message; a verdict */
	FILE *out;
	char *text; /* behind out */
	size_t len;
	size_t unsure;    /* of its end: what was said of a verdict not known to be carried out */
	uint64_t *hashes; /* of the present queue's messages so far */
	size_t count;
	int64_t visited;
	bool *found; /* which operands were met */
};

static void
pass_free(struct pass *p)
{
	if (p->out)
		(void)fclose(p->out);
	free(p->text);
	free(p->hashes);
	free(p->found);
}

static int
pass_init(struct pass *p, const struct command_options *o, told tell, struct err *e)
{
	*p = (struct pass){ .options = o, .tell = tell };
	p->hashes = calloc(COMMAND_LIMIT_MAX, sizeof *p->hashes);
	p->found = calloc((size_t)o->operand_count + 1, sizeof *p->found);
	if (p->hashes == NULL || p->found == NULL ||
	    (p->out = open_memstream(&p->text, &p->len)) == NULL)
		return err_set(e, ERR_NO_MEMORY, "dead messages");
	return 0;
}

static uint64_t
mix(uint64_t hash, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * FNV_PRIME;
	return hash * FNV_PRIME; /* ends the text */
}

/* The content's digest; what lies there before with the same one makes it .2, .3, ... */
static void
make_id(struct pass *p, const struct dead_letter *m, char ret[ID_MAX])
{
	uint64_t hash = mix(FNV_START, m->message.destination, strlen(m->message.destination));
	int n = 1;

	hash = mix(hash, m->reason, strlen(m->reason));
	hash = mix(hash, m->message.body, m->message.len);
	for (size_t i = 0; i < p->count; i++)
		n += p->hashes[i] == hash;
	if (p->count < COMMAND_LIMIT_MAX)
		p->hashes[p->count++] = hash;
	if (n == 1)
		(void)snprintf(ret, ID_MAX, "%016" PRIx64, hash);
	else
		(void)snprintf(ret, ID_MAX, "%016" PRIx64 ".%d", hash, n);
}

static int
visitor(void *arg, const struct dead_letter *m, struct err *e)
{
	struct pass *p = arg;
	long before = ftell(p->out);
	char id[ID_MAX];
	int r;

	p->unsure = 0; /* the broker went on */
	make_id(p, m, id);
	p->visited++;
	if (before > OUTPUT_MAX)
		return err_set(e, ERR_TOO_LARGE, "more than 64 MiB to print: lower --limit");
	r = p->tell(p, m, id, e);
	if (r == DEAD_REQUEUE || r == DEAD_DROP)
		p->unsure = (size_t)(ftell(p->out) - before);
	return r;
}

static bool
is_asked(struct pass *p, const char *id)
{
	bool asked = p->options->all;

	for (int i = 0; i < p->options->operand_count; i++) {
		if (strcmp(p->options->operands[i], id) != 0)
			continue;
		asked = p->found[i] = true;
	}
	return asked;
}

static int
put_json(struct pass *p, const struct dead_letter *m, const char *id, struct err *e)
{
	SCOPED(str_free) struct str json = STR_MAX(JSON_MAX);
	int r = dead_record_write(&(struct dead_record){ id, m->message.destination, m->reason,
							 m->message.body, m->message.len, m->size,
							 m->redelivered },
				  &json, e);

	if (r == 0)
		(void)fprintf(p->out, "%s\n", str_text(&json));
	return r;
}

static int
tell_row(struct pass *p, const struct dead_letter *m, const char *id, struct err *e)
{
	int used;

	if (p->options->json)
		return put_json(p, m, id, e);
	(void)fprintf(p->out, "%-20s  %-10s  %8" PRIu64 "  ", id, m->message.destination, m->size);
	used = command_put_text(p->out, m->reason, strlen(m->reason), REASON_COLUMNS);
	(void)fprintf(p->out, "%*s  ", REASON_COLUMNS - used, "");
	(void)command_put_text(p->out, m->message.body, m->message.len, BODY_COLUMNS);
	(void)fputc('\n', p->out);
	return DEAD_KEEP;
}

static int
tell_whole(struct pass *p, const struct dead_letter *m, const char *id, struct err *e)
{
	if (!is_asked(p, id))
		return DEAD_KEEP;
	if (p->options->json)
		return put_json(p, m, id, e);
	(void)fprintf(p->out, "id           %s\nqueue        %s\nsize         %" PRIu64 "\n", id,
		      m->message.destination, m->size);
	(void)fprintf(p->out, "redelivered  %s\nreason       ", m->redelivered ? "yes" : "no");
	(void)command_put_text(p->out, m->reason, strlen(m->reason), 0);
	(void)fputs("\nbody         ", p->out);
	(void)command_put_text(p->out, m->message.body, m->message.len, 0);
	(void)fputs(m->size > m->message.len ? "...\n" : "\n", p->out);
	return DEAD_KEEP;
}

static int
tell_requeue(struct pass *p, const struct dead_letter *m, const char *id, struct err *e)
{
	(void)e;
	if (!is_asked(p, id))
		return DEAD_KEEP;
	(void)fprintf(p->out, "requeued %s to %s\n", id, m->message.destination);
	return DEAD_REQUEUE;
}

static int
tell_drop(struct pass *p, const struct dead_letter *m, const char *id, struct err *e)
{
	(void)m;
	(void)e;
	if (!is_asked(p, id))
		return DEAD_KEEP;
	(void)fprintf(p->out, "dropped %s\n", id);
	return DEAD_DROP;
}

static int
visit_queues(struct pass *p, struct dead_letters *letters, const struct converter_config *config,
	     int64_t limit, struct err *e)
{
	const char *const queues[QUEUES] = { config->video_queue, config->mp3_queue,
					     config->failed_queue };
	int r;

	for (int i = 0; i < QUEUES && p->visited < limit; i++) {
		if (p->options->queue && strcmp(p->options->queue, queues[i]) != 0)
			continue;
		p->count = 0;
		r = dead_letters_visit(letters, queues[i], (size_t)(limit - p->visited), visitor, p,
				       e);
		if (r < 0)
			return err_prefix(e, r, "%s.dead", queues[i]);
		p->unsure = 0;
	}
	return 0;
}

static bool
is_queue(const struct converter_config *config, const char *name)
{
	if (name == NULL || strcmp(name, config->video_queue) == 0 ||
	    strcmp(name, config->mp3_queue) == 0 || strcmp(name, config->failed_queue) == 0)
		return true;
	(void)fprintf(stderr, "converter: --queue: %s, %s or %s\n", config->video_queue,
		      config->mp3_queue, config->failed_queue);
	return false;
}

static int
name_missing(const struct pass *p)
{
	int result = COMMAND_DONE;

	for (int i = 0; i < p->options->operand_count; i++) {
		struct err e = ERR_NONE;

		if (p->found[i])
			continue;
		(void)err_set(&e, ERR_NOT_FOUND, "no dead message %s", p->options->operands[i]);
		result = command_failed("dead", &e);
	}
	return result;
}

static int
go(const struct command_options *o, const struct converter_config *config, told tell, int64_t limit)
{
	SCOPED(dead_letters_close_p) struct dead_letters *letters = NULL;
	SCOPED(pass_free) struct pass pass = { 0 };
	struct err e = ERR_NONE;
	int r;

	if (!is_queue(config, o->queue))
		return COMMAND_USAGE;
	if ((r = pass_init(&pass, o, tell, &e)) < 0 ||
	    (r = converter_dead_letters_new(config, &letters, &e)) < 0)
		return command_failed("dead", &e);
	r = visit_queues(&pass, letters, config, limit, &e);
	(void)fclose(TAKE(pass.out));
	/* also after an error: what was done is done */
	(void)fwrite(pass.text, 1, pass.len - pass.unsure, stdout);
	if (r < 0)
		return command_failed("dead", &e);
	return name_missing(&pass);
}

static int
list(const struct command_options *o, const void *config)
{
	if (!o->json)
		printf("%-20s  %-10s  %8s  %-*s  %s\n", "id", "queue", "bytes", REASON_COLUMNS,
		       "reason", "body");
	return go(o, config, tell_row, o->limit);
}

static int
show(const struct command_options *o, const void *config)
{
	return go(o, config, tell_whole, COMMAND_LIMIT_MAX);
}

/* --all of every queue at once would be an accident. */
static bool
names_its_queue(const struct command_options *o)
{
	if (!o->all || o->queue)
		return true;
	(void)fputs("converter: --all goes with --queue\n", stderr);
	return false;
}

static int
requeue(const struct command_options *o, const void *config)
{
	return names_its_queue(o) ? go(o, config, tell_requeue, COMMAND_LIMIT_MAX) : COMMAND_USAGE;
}

static int
drop(const struct command_options *o, const void *config)
{
	return names_its_queue(o) ? go(o, config, tell_drop, COMMAND_LIMIT_MAX) : COMMAND_USAGE;
}

int
command_dead(int argc, char **argv, const void *config)
{
	static const struct command_verb verbs[] = {
		{ "list", list, "queue limit json", 0, 0,
		  "list [--queue QUEUE] [--limit N] [--json]" },
		{ "show", show, "json", 1, 1, "show ID [--json]" },
		{ "requeue", requeue, "queue all", 1, COMMAND_LIMIT_MAX,
		  "requeue ID... | --all --queue QUEUE" },
		{ "drop", drop, "queue all", 1, COMMAND_LIMIT_MAX,
		  "drop ID... | --all --queue QUEUE" },
		{ 0 },
	};
	static const char notes[] =
		"QUEUE is the queue it came from, without .dead. list: the oldest first, N is 1 to "
		"10000\n(100) in all. ID: a digest of queue, reason and body; equal messages are "
		"ID, ID.2, ID.3 ...,\nso name several in one call. The oldest 10000 of each queue "
		"are looked at. Looking marks a\nmessage redelivered and leaves it in its place. "
		"requeue: published to its queue, confirmed,\nthen removed here; a crash between "
		"may double it, never lose it.\n";

	return command_run(argc, argv, verbs, notes, config);
}
