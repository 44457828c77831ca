#include <stdio.h>
#include <string.h>

#include "base/log/log.h"
#include "base/scope.h"
#include "daemon/life.h"

#define NUMBER(t, m, n, d, lo, hi, h) CONFIG_KEY_NUMBER(t, struct daemon_config, m, n, d, lo, hi, h)

const struct config_key daemon_config_keys[] = {
	CONFIG_KEY_CHOICE(struct daemon_config, log_level, "LOG_LEVEL", "info",
			  "debug|info|warn|error", "least level that is logged"),
	CONFIG_KEY_CHOICE(struct daemon_config, log_format, "LOG_FORMAT", "text", "text|json",
			  "logfmt, or one JSON object a line"),
	CONFIG_KEY_TEXT(struct daemon_config, listen_address, "LISTEN_ADDRESS", "0.0.0.0",
			"address that all ports are bound to"),
	NUMBER(CONFIG_INTEGER, admin_port, "ADMIN_PORT", "9100", 0, 65535,
	       "port of /healthz, /readyz and /metrics; 0 = any free one"),
	NUMBER(CONFIG_DURATION, start_timeout_ms, "START_TIMEOUT", "0", 0, INT64_C(86400000),
	       "exit 111 when not ready within it; 0 = wait for ever"),
	NUMBER(CONFIG_DURATION, drain_timeout_ms, "DRAIN_TIMEOUT", "300s", 0, INT64_C(86400000),
	       "longest time that work under way may take after SIGTERM"),
	CONFIG_END,
};

enum action { SERVE, HELP, HELP_MARKDOWN, VERSION, CHECK_CONFIG, HEALTH, COMMAND, USAGE_ERROR };

static const struct daemon_command *
find_command(const struct daemon_spec *spec, const char *name)
{
	const struct daemon_command *c = spec->commands;

	while (c && c->name && strcmp(c->name, name) != 0)
		c++;
	return c && c->name ? c : NULL;
}

static enum action
action_of(int argc, char **argv, const struct daemon_spec *spec)
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
	if (find_command(spec, argv[1]))
		return COMMAND;
	for (i = 0; argc == 2 && i < ARRAY_LEN(options); i++)
		if (strcmp(argv[1], options[i].word) == 0)
			return options[i].action;
	return USAGE_ERROR;
}

static void
print_help(const struct daemon_spec *spec, const struct config_key *const *tables)
{
	const struct daemon_command *c;

	(void)printf("%s: %s\n\n"
		     "usage: %s                         serve until SIGTERM\n"
		     "       %s --check-config          test the configuration\n"
		     "       %s --health                ask the running daemon; exit 0 or 1\n"
		     "       %s --help[=markdown] | --version\n",
		     spec->name, spec->summary, spec->name, spec->name, spec->name, spec->name);
	for (c = spec->commands; c && c->name; c++)
		(void)printf("       %s %-20s %s\n", spec->name, c->name, c->summary);
	(void)printf("\nConfiguration, from the environment:\n\n");
	config_help(tables, CONFIG_HELP_TEXT, stdout);
	(void)printf("\nExit: 0 stopped, %d bad configuration or usage, %d not started.\n",
		     EXIT_CONFIG, EXIT_NOT_STARTED);
}

/* Loads and checks; findings go to stderr, one a line. */
static int
load(const struct daemon_spec *spec, const struct config_key *const *tables, void *config)
{
	struct err e = ERR_NONE;

	if (config_load_from(tables, config, NULL, NULL, stderr, &e) < 0) {
		(void)fprintf(stderr, "%s: bad configuration (see above, and %s --help)\n",
			      spec->name, spec->name);
		return EXIT_CONFIG;
	}
	if (spec->check && spec->check(config, &e) < 0) {
		(void)fprintf(stderr, "%s: bad configuration: %s\n", spec->name, e.text);
		return EXIT_CONFIG;
	}
	return 0;
}

static int
run_command(int argc, char **argv, const struct daemon_spec *spec, const void *config)
{
	const struct daemon_command *found = find_command(spec, argv[1]);
	const struct daemon_config *c = config;

	if (found == NULL)
		return EXIT_CONFIG;
	/* Standard output is the command's own. */
	log_init(spec->name, (enum log_level)c->log_level, (enum log_format)c->log_format, 2);
	return found->run(argc - 1, argv + 1, config);
}

static int
usage_error(const struct daemon_spec *spec, const char *word)
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
	enum action action = action_of(argc, argv, spec);
	int r = 0;

	*ret_serve = false;
	switch (action) {
	case HELP:
		print_help(spec, tables);
		break;
	case HELP_MARKDOWN:
		config_help(tables, CONFIG_HELP_MARKDOWN, stdout);
		break;
	case VERSION:
		(void)printf("%s (tonearm) %s\n", spec->name, TONEARM_VERSION);
		break;
	case USAGE_ERROR:
		return usage_error(spec, argv[1]);
	case HEALTH:
		if (config_load_from(common, config, NULL, NULL, stderr, NULL) < 0)
			return EXIT_CONFIG;
		return probe_health(config);
	case CHECK_CONFIG:
		if ((r = load(spec, tables, config)) == 0)
			(void)printf("%s: the configuration is good\n", spec->name);
		break;
	case COMMAND:
		if ((r = load(spec, tables, config)) == 0)
			r = run_command(argc, argv, spec, config);
		break;
	case SERVE:
		r = load(spec, tables, config);
		*ret_serve = r == 0;
		break;
	}
	return r;
}
