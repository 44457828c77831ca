/* `converter dead`: the messages that no code could read. What is printed waits in memory until the
 * visit is over: a reader of ours that is slow must not cost the connection to the broker. */
#include <inttypes.h>
#include <string.h>

#include "base/scope.h"
#include "base/text/legible.h"
#include "base/text/str.h"
#include "converter/command/command.h"
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
	/* what was typed */
	const struct command_call *call;
	told tell;         /* of each message; a verdict */
	const char *queue; /* NULL = each */
	int64_t limit;     /* of messages looked at */
	bool all, json;
	/* so far */
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
pass_init(struct pass *p, struct err *e)
{
	p->hashes = calloc(COMMAND_LIMIT_MAX, sizeof *p->hashes);
	p->found = calloc((size_t)p->call->operand_count + 1, sizeof *p->found);
	if (!p->hashes || !p->found || !(p->out = open_memstream(&p->text, &p->len)))
		return err_set(e, ERR_NO_MEMORY, "dead messages");
	return 0;
}

static uint64_t
fnv_mix(uint64_t hash, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * FNV_PRIME;
	return hash * FNV_PRIME; /* ends the text */
}

/* The content's digest; what lies there before with the same one makes it .2, .3, ... */
static void
pass_make_id(struct pass *p, const struct dead_letter *m, char ret[ID_MAX])
{
	uint64_t hash = fnv_mix(FNV_START, m->message.destination, strlen(m->message.destination));
	int n = 1;

	hash = fnv_mix(hash, m->reason, strlen(m->reason));
	hash = fnv_mix(hash, m->message.body, m->message.len);
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
pass_visit(void *arg, const struct dead_letter *m, struct err *e)
{
	struct pass *p = arg;
	long before = ftell(p->out);
	char id[ID_MAX];
	int r;

	p->unsure = 0; /* the broker went on */
	pass_make_id(p, m, id);
	p->visited++;
	if (before > OUTPUT_MAX)
		return err_set(e, ERR_TOO_LARGE, "more than 64 MiB to print: lower --limit");
	r = p->tell(p, m, id, e);
	if (r == DEAD_REQUEUE || r == DEAD_DROP)
		p->unsure = (size_t)(ftell(p->out) - before);
	return r;
}

static bool
pass_is_asked(struct pass *p, const char *id)
{
	bool asked = p->all;

	for (int i = 0; i < p->call->operand_count; i++) {
		if (strcmp(p->call->operands[i], id) != 0)
			continue;
		asked = p->found[i] = true;
	}
	return asked;
}

static int
pass_put_json(struct pass *p, const struct dead_letter *m, const char *id, struct err *e)
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
pass_tell_row(struct pass *p, const struct dead_letter *m, const char *id, struct err *e)
{
	int used;

	if (p->json)
		return pass_put_json(p, m, id, e);
	(void)fprintf(p->out, "%-20s  %-10s  %8" PRIu64 "  ", id, m->message.destination, m->size);
	used = legible_print(p->out, m->reason, strlen(m->reason), REASON_COLUMNS);
	(void)fprintf(p->out, "%*s  ", REASON_COLUMNS - used, "");
	(void)legible_print(p->out, m->message.body, m->message.len, BODY_COLUMNS);
	(void)fputc('\n', p->out);
	return DEAD_KEEP;
}

static int
pass_tell_whole(struct pass *p, const struct dead_letter *m, const char *id, struct err *e)
{
	if (!pass_is_asked(p, id))
		return DEAD_KEEP;
	if (p->json)
		return pass_put_json(p, m, id, e);
	(void)fprintf(p->out, "id           %s\nqueue        %s\nsize         %" PRIu64 "\n", id,
		      m->message.destination, m->size);
	(void)fprintf(p->out, "redelivered  %s\nreason       ", m->redelivered ? "yes" : "no");
	(void)legible_print(p->out, m->reason, strlen(m->reason), 0);
	(void)fputs("\nbody         ", p->out);
	(void)legible_print(p->out, m->message.body, m->message.len, 0);
	(void)fputs(m->size > m->message.len ? "...\n" : "\n", p->out);
	return DEAD_KEEP;
}

static int
pass_tell_requeue(struct pass *p, const struct dead_letter *m, const char *id, struct err *e)
{
	(void)e;
	if (!pass_is_asked(p, id))
		return DEAD_KEEP;
	(void)fprintf(p->out, "requeued %s to %s\n", id, m->message.destination);
	return DEAD_REQUEUE;
}

static int
pass_tell_drop(struct pass *p, const struct dead_letter *m, const char *id, struct err *e)
{
	(void)m;
	(void)e;
	if (!pass_is_asked(p, id))
		return DEAD_KEEP;
	(void)fprintf(p->out, "dropped %s\n", id);
	return DEAD_DROP;
}

static int
pass_visit_queues(struct pass *p, struct dead_letters *letters, const char *const queues[QUEUES],
		  struct err *e)
{
	int r;

	for (int i = 0; i < QUEUES && p->visited < p->limit; i++) {
		if (p->queue && strcmp(p->queue, queues[i]) != 0)
			continue;
		p->count = 0;
		r = dead_letters_visit(letters, queues[i], (size_t)(p->limit - p->visited),
				       pass_visit, p, e);
		if (r < 0)
			return err_prefix(e, r, "%s.dead", queues[i]);
		p->unsure = 0;
	}
	return 0;
}

static int
pass_name_missing(const struct pass *p)
{
	int result = COMMAND_DONE;

	for (int i = 0; i < p->call->operand_count; i++) {
		struct err e = ERR_NONE;

		if (p->found[i])
			continue;
		(void)err_set(&e, ERR_NOT_FOUND, "no dead message %s", p->call->operands[i]);
		result = converter_failed(p->call, "dead", &e);
	}
	return result;
}

static int
dead_visit(struct pass wanted)
{
	const struct converter_config *config = wanted.call->config;
	const char *const queues[QUEUES] = { config->video_queue, config->mp3_queue,
					     config->failed_queue };
	SCOPED(dead_letters_close_p) struct dead_letters *letters = NULL;
	SCOPED(pass_free) struct pass pass = wanted;
	struct err e = ERR_NONE;
	int r;

	if (pass.queue && strcmp(pass.queue, queues[0]) != 0 &&
	    strcmp(pass.queue, queues[1]) != 0 && strcmp(pass.queue, queues[2]) != 0)
		return command_wrong(pass.call, "--queue: %s, %s or %s", queues[0], queues[1],
				     queues[2]);
	if ((r = pass_init(&pass, &e)) < 0 ||
	    (r = converter_dead_letters_new(config, &letters, &e)) < 0)
		return converter_failed(pass.call, "dead", &e);
	r = pass_visit_queues(&pass, letters, queues, &e);
	(void)fclose(TAKE(pass.out));
	/* also after an error: what was done is done */
	(void)fwrite(pass.text, 1, pass.len - pass.unsure, stdout);
	return r < 0 ? converter_failed(pass.call, "dead", &e) : pass_name_missing(&pass);
}

static int
dead_list(const struct command_call *call)
{
	bool json = command_given(call, "json");

	if (!json)
		printf("%-20s  %-10s  %8s  %-*s  %s\n", "id", "queue", "bytes", REASON_COLUMNS,
		       "reason", "body");
	return dead_visit((struct pass){
		.call = call,
		.tell = pass_tell_row,
		.queue = command_text(call, "queue"),
		.limit = command_number(call, "limit"),
		.json = json,
	});
}

static int
dead_show(const struct command_call *call)
{
	return dead_visit((struct pass){
		.call = call,
		.tell = pass_tell_whole,
		.limit = COMMAND_LIMIT_MAX,
		.json = command_given(call, "json"),
	});
}

static int
dead_change(const struct command_call *call, told tell)
{
	struct pass wanted = {
		.call = call,
		.tell = tell,
		.queue = command_text(call, "queue"),
		.limit = COMMAND_LIMIT_MAX,
		.all = command_given(call, "all"),
	};

	/* of every queue at once it would be an accident */
	if (wanted.all && !wanted.queue)
		return command_wrong(call, "--all goes with --queue");
	return dead_visit(wanted);
}

static int
dead_requeue(const struct command_call *call)
{
	return dead_change(call, pass_tell_requeue);
}

static int
dead_drop(const struct command_call *call)
{
	return dead_change(call, pass_tell_drop);
}

#define DEAD_QUEUE                                                                                 \
	{                                                                                          \
		.type = COMMAND_TEXT, .name = "queue", .value = "QUEUE",                           \
		.help = "only those of this queue"                                                 \
	}

static const struct command_option dead_list_options[] = {
	DEAD_QUEUE, COMMAND_LIMIT, COMMAND_JSON, { 0 }
};
static const struct command_option dead_show_options[] = { COMMAND_JSON, { 0 } };
static const struct command_option dead_change_options[] = {
	{ .type = COMMAND_INSTEAD, .name = "all", .help = "all of the queue that --queue names" },
	DEAD_QUEUE,
	{ 0 },
};
static const struct command_verb dead_verbs[] = {
	{ "list", NULL, dead_list_options, "Lists dead messages, the oldest first.", dead_list },
	{ "show", "ID", dead_show_options, "Shows one message whole.", dead_show },
	{ "requeue", "ID...", dead_change_options,
	  "Publishes messages to the queue they came from, confirmed, then removes them here.\n"
	  "A crash between may double one, never lose it.",
	  dead_requeue },
	{ "drop", "ID...", dead_change_options, "Removes messages for ever.", dead_drop },
	{ 0 },
};

const struct command command_dead = {
	.name = "dead",
	.summary = "list, show, requeue or drop messages that no code could read",
	.verbs = dead_verbs,
	.notes = "QUEUE is the queue that a message came from, without .dead. ID is a digest of "
		 "queue,\n"
		 "reason and body; equal messages are ID, ID.2, ID.3 ..., so name several in one "
		 "call.\n"
		 "The oldest 10000 of each queue are looked at. Looking marks a message "
		 "redelivered\n"
		 "and leaves it in its place.",
};
