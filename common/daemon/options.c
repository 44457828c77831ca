/* environ */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log/log.h"
#include "base/scope.h"
#include "base/text/wrap.h"
#include "daemon/life.h"

#define NUMBER(t, m, n, d, lo, hi, h) CONFIG_KEY_NUMBER(t, struct daemon_config, m, n, d, lo, hi, h)

const struct config_key daemon_config_keys[] = {
	CONFIG_KEY_CHOICE(struct daemon_config, log_level, "LOG_LEVEL", "info",
			  "debug|info|warn|error", "least level that is logged"),
	CONFIG_KEY_CHOICE(struct daemon_config, log_format, "LOG_FORMAT", "text", "text|json",
			  "logfmt, or one JSON object a line"),
	CONFIG_KEY_TEXT_CHECKED(struct daemon_config, listen_address, "LISTEN_ADDRESS", "0.0.0.0",
				http_address_check, "address that all ports are bound to"),
	CONFIG_KEY_PORT(struct daemon_config, admin_port, "ADMIN_PORT", "9100", 0,
			"port of /healthz, /readyz and /metrics; 0 = any free one"),
	NUMBER(CONFIG_DURATION, start_timeout_ms, "START_TIMEOUT", "0", 0, INT64_C(86400000),
	       "exit 111 when not ready so long after the start; 0 = wait for ever"),
	NUMBER(CONFIG_DURATION, drain_timeout_ms, "DRAIN_TIMEOUT", "300s", 0, INT64_C(86400000),
	       "longest time that work under way may take after SIGTERM"),
	CONFIG_END,
};

enum action { SERVE, HELP, HELP_MARKDOWN, VERSION, CHECK_CONFIG, HEALTH, COMMAND, USAGE_ERROR };

static const struct command *
options_find_command(const struct daemon_spec *spec, const char *name)
{
	for (size_t i = 0; spec->commands && spec->commands[i]; i++)
		if (strcmp(spec->commands[i]->name, name) == 0)
			return spec->commands[i];
	return NULL;
}

static enum action
options_action(int argc, char **argv, const struct daemon_spec *spec)
{
	static const struct {
		const char *word;
		enum action action;
	} options[] = {
		{ "--help", HELP },       { "-h", HELP },
		{ "--version", VERSION }, { "--help=markdown", HELP_MARKDOWN },
		{ "--health", HEALTH },   { "--check-config", CHECK_CONFIG },
	};
	size_t i;

	if (argc < 2)
		return SERVE;
	if (options_find_command(spec, argv[1]))
		return COMMAND;
	for (i = 0; argc == 2 && i < ARRAY_LEN(options); i++)
		if (strcmp(argv[1], options[i].word) == 0)
			return options[i].action;
	return USAGE_ERROR;
}

static void
options_print_command(const struct daemon_spec *spec, const struct command *command)
{
	int used = printf("       %s %-24s", spec->name, command->name);
	size_t column = used > 0 ? (size_t)used : 0;

	wrap_text(stdout, column, column, command->summary);
}

static void
options_print_help(const struct daemon_spec *spec, const struct config_key *const *tables)
{
	(void)printf("%s: %s\n\n"
		     "usage: %s                         serve until SIGTERM\n"
		     "       %s --check-config          test the configuration\n"
		     "       %s --health                ask the running daemon; exit 0 or 1\n"
		     "       %s --help[=markdown] | --version\n",
		     spec->name, spec->summary, spec->name, spec->name, spec->name, spec->name);
	for (size_t i = 0; spec->commands && spec->commands[i]; i++)
		options_print_command(spec, spec->commands[i]);
	if (spec->commands)
		(void)printf("       %s COMMAND --help          explain one\n", spec->name);
	(void)printf("\nConfiguration, from the environment:\n\n");
	config_help(tables, CONFIG_HELP_TEXT, stdout);
	(void)printf("\nExit: 0 stopped, %d bad configuration or usage, %d not started.\n",
		     EXIT_CONFIG, EXIT_NOT_STARTED);
}

/* Loads; findings go to stderr, one a line. */
static int
options_load(const struct daemon_spec *spec, const struct config_key *const *tables, void *config)
{
	if (config_load_from(tables, config, NULL, NULL, stderr, NULL) == 0)
		return 0;
	(void)fprintf(stderr, "%s: bad configuration (see above, and %s --help)\n", spec->name,
		      spec->name);
	return EXIT_CONFIG;
}

/* What the daemon itself needs beyond what its commands do. */
static int
options_load_to_serve(const struct daemon_spec *spec, const struct config_key *const *tables,
		      void *config)
{
	struct err e = ERR_NONE;
	int r = options_load(spec, tables, config);

	if (r != 0 || !spec->check || spec->check(config, &e) == 0)
		return r;
	(void)fprintf(stderr, "%s: bad configuration: %s\n", spec->name, e.text);
	return EXIT_CONFIG;
}

static void
options_print_stray(void *arg, const char *name, const char *meant)
{
	int *count = arg;

	(void)fprintf(stderr, "%s: did you mean %s?\n", name, meant);
	++*count;
}

/* What is nearly a key is as wrong as a key's value. */
static int
options_check(const struct daemon_spec *spec, const struct config_key *const *tables, void *config)
{
	int strays = 0, r;

	config_each_stray(tables, (const char *const *)environ, options_print_stray, &strays);
	if ((r = options_load_to_serve(spec, tables, config)) != 0)
		return r;
	if (strays > 0) {
		(void)fprintf(stderr, "%s: bad configuration (see above)\n", spec->name);
		return EXIT_CONFIG;
	}
	(void)printf("%s: the configuration is good\n", spec->name);
	return 0;
}

static void
options_log_stray(void *arg, const char *name, const char *meant)
{
	(void)arg;
	log_warn(LOG_EVENT("unknown_key"), LOG_STR("name", name), LOG_STR("did_you_mean", meant));
}

void
options_log_strays(const struct daemon_spec *spec)
{
	const struct config_key *const tables[] = { daemon_config_keys, spec->keys, NULL };

	config_each_stray(tables, (const char *const *)environ, options_log_stray, NULL);
}

/* What is typed is read before the configuration is: help needs none. */
static int
options_run_command(int argc, char **argv, const struct daemon_spec *spec,
		    const struct config_key *const *tables, void *config)
{
	const struct command *found = options_find_command(spec, argv[1]);
	const struct daemon_config *c = config;
	struct command_call call;
	int r;

	if (!command_read(spec->name, found, argc - 1, argv + 1, &call, &r) ||
	    (r = options_load(spec, tables, config)) != 0)
		return r;
	/* Standard output is the command's own. */
	log_init(spec->name, (enum log_level)c->log_level, (enum log_format)c->log_format, 2);
	return command_run(&call, config);
}

static int
options_usage_error(const struct daemon_spec *spec, const char *word)
{
	(void)fprintf(stderr, "%s: cannot make sense of \"%s\"; try %s --help\n", spec->name, word,
		      spec->name);
	return EXIT_CONFIG;
}

int
options_main(int argc, char **argv, const struct daemon_spec *spec, bool *ret_serve, void *config)
{
	const struct config_key *const tables[] = { daemon_config_keys, spec->keys, NULL };
	const struct config_key *const common[] = { daemon_config_keys, NULL };
	enum action action = options_action(argc, argv, spec);
	int r = 0;

	*ret_serve = false;
	switch (action) {
	case HELP:
		options_print_help(spec, tables);
		break;
	case HELP_MARKDOWN:
		config_help(tables, CONFIG_HELP_MARKDOWN, stdout);
		break;
	case VERSION:
		(void)printf("%s (tonearm) %s\n", spec->name, TONEARM_VERSION);
		break;
	case USAGE_ERROR:
		return options_usage_error(spec, argv[1]);
	case HEALTH:
		if (config_load_from(common, config, NULL, NULL, stderr, NULL) < 0)
			return EXIT_CONFIG;
		return probe_health(config);
	case CHECK_CONFIG:
		r = options_check(spec, tables, config);
		break;
	case COMMAND:
		r = options_run_command(argc, argv, spec, tables, config);
		break;
	case SERVE:
		r = options_load_to_serve(spec, tables, config);
		*ret_serve = r == 0;
		break;
	}
	return r;
}
